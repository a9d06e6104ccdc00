import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'undici';
import { Grid } from '../../../client/sdk/index.ts';

/** The command as a user runs it. `npm run build` has come before. */
export const tabgridBin = fileURLToPath(new URL('../../../bin/tabgrid.js', import.meta.url));

export interface Finished {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command under way, with all that it has printed. */
export class Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Finished>;
  stdout = '';
  stderr = '';
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    // What the tests’ own environment says of a grid must not leak in.
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('TABGRID_'));
    const env = { ...Object.fromEntries(clean), ...environment };
    this.child = spawn(process.execPath, [tabgridBin, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const collect = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
      this[stream] += chunk.toString();
      this.#notify();
    };
    this.child.stdout.on('data', collect('stdout'));
    this.child.stderr.on('data', collect('stderr'));
    this.ended = new Promise((resolve) => {
      this.child.once('close', (status, signal) => {
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr });
        this.#notify();
      });
    });
  }

  /** Resolves with the match once standard output or error has it. @throws when the command ends without. */
  async printed(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended without ${pattern}:\n${this.stdout}\n${this.stderr}`);
      }
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.child.kill(signal);
    return this.ended;
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

/** Starts a command that is ended with the test, however that goes. */
export function start(args: readonly string[], environment?: NodeJS.ProcessEnv): Running {
  const running = new Running(args, environment);
  onTestFinished(async () => {
    if (running.child.exitCode === null && running.child.signalCode === null) await running.stop('SIGTERM');
  });
  return running;
}

/** Runs a command to its end. */
export async function run(args: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Finished> {
  return start(args, environment).ended;
}

/** A folder that is gone after the test. */
export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrid-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface TestServe {
  readonly running: Running;
  readonly url: string;
  readonly state: string;
  readonly token: string;
  readonly grid: Grid;
}

/** An environment in which a worker that was killed is missed soon. */
export const quickLeases = environmentOf({});

function environmentOf(config: object): { TABGRID_CONFIG: string } {
  return { TABGRID_CONFIG: JSON.stringify({ leaseMs: 4_000, heartbeatMs: 1_000, ...config }) };
}

/** An edge of the test’s own. @param port 0 for any; a second start on one state wants that of the first. @param config as in `TABGRID_CONFIG`. */
export async function startTestServe(state: string, port = 0, config: object = {}): Promise<TestServe> {
  const running = start(['serve', '--json', '--port', String(port), '--state', state], environmentOf(config));
  const [line] = await running.printed(/^\{.*\}$/m);
  const { url, token_path: tokenPath } = JSON.parse(line) as { url: string; token_path: string };
  const token = (await readFile(tokenPath, 'utf8')).trim();
  return { running, url, state, token, grid: new Grid({ url, token, WebSocket }) };
}

/** The edge process that the lock names. */
export async function edgePid(state: string): Promise<number> {
  const lock = JSON.parse(await readFile(join(state, 'lock'), 'utf8')) as { edge: { pid: number } | null };
  if (lock.edge === null) throw new Error('there is no edge process');
  return lock.edge.pid;
}

/** A Node worker for an edge of the test’s own. */
export function startTestWorker(serve: TestServe, name: string, args: readonly string[] = []): Running {
  return start(['worker', '--url', serve.url, '-n', name, ...args], { TABGRID_TOKEN: serve.token });
}
