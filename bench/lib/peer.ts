import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** What a peer says first: what it is, with version and, where it matters, its BLAS. */
interface Greeting {
  readonly peer: string;
}

export type Answer = Readonly<Record<string, number>>;

const folder = new URL('../../bench/peers/', import.meta.url);
/** Debian’s Python is the one that Debian’s packages are for; another may come first on the path. */
const systemPython = '/usr/bin/python3';

function commandFor(script: string): { command: string; args: string[] } {
  const path = fileURLToPath(new URL(script, folder));
  if (!script.endsWith('.py')) return { command: process.execPath, args: [path] };
  return { command: process.env.TABGRID_PYTHON ?? (existsSync(systemPython) ? systemPython : 'python3'), args: [path] };
}

/** One thread each: BLAS libraries and OpenMP take their number from here, before they start. */
const oneThread = Object.fromEntries(
  ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMEXPR_NUM_THREADS'].map((name) => [name, '1']),
);

/**
 * A program that we compare with, in a process of its own that stays, so that its start is not timed and turns can alternate. It says a line of
 * JSON when it is ready, then answers each line of JSON with one.
 */
export class Peer {
  /** Name and version. */
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #complaint: () => string;

  private constructor(name: string, child: ChildProcess, lines: AsyncIterator<string>, complaint: () => string) {
    this.name = name;
    this.#process = child;
    this.#lines = lines;
    this.#complaint = complaint;
  }

  /**
   * @param more further arguments of the script
   * @returns the peer, or in one line why it cannot be had
   */
  static async start(script: string, peer: string, ...more: readonly string[]): Promise<Peer | string> {
    const { command, args } = commandFor(script);
    const local = fileURLToPath(new URL('python', folder));
    const pythonPath = [process.env.PYTHONPATH, local].filter(Boolean).join(':');
    const child = spawn(command, [...args, peer, ...more], {
      env: { ...process.env, ...oneThread, PYTHONPATH: pythonPath, PYTHONUNBUFFERED: '1' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said = `${said}${text.toString()}`.slice(-4000)));
    child.on('error', ({ message }) => (said = message));
    const complaint = (): string => reasonIn(said);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) return `${peer}: ${complaint()}`;
    return new Peer((JSON.parse(first.value) as Greeting).peer, child, lines, complaint);
  }

  /** @throws Error when the peer ends instead of answering. */
  async ask(request: object): Promise<Answer> {
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`${this.name} ended without an answer: ${this.#complaint()}`);
    return JSON.parse(line.value) as Answer;
  }

  async stop(): Promise<void> {
    this.#process.stdin?.end();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }
}

/** The line of a stack trace, Python’s or Node’s, that says what went wrong. */
function reasonIn(text: string): string {
  const lines = text.trim().split('\n');
  return (lines.findLast((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1)) || 'it ended in silence';
}

/** Peers that could be started, and the others with the reason. */
export interface Field {
  readonly peers: readonly Peer[];
  readonly missing: readonly string[];
}

/** Starts peers, given as [script in bench/peers, name of the peer, further arguments of the script]. */
export async function startPeers(
  wanted: readonly (readonly [script: string, peer: string, ...more: string[]])[],
): Promise<Field> {
  const started = await Promise.all(wanted.map((command) => Peer.start(...command)));
  return {
    peers: started.filter((one) => one instanceof Peer),
    missing: started.filter((one) => typeof one === 'string'),
  };
}

export async function stopPeers({ peers }: Field): Promise<void> {
  await Promise.all(peers.map((peer) => peer.stop()));
}
