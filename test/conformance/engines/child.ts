import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The first of these files that is there. @throws Error that says what to do. */
export function executable(what: string, remedy: string, candidates: readonly string[]): string {
  const found = candidates.find(existsSync);
  if (found === undefined) throw new Error(`${what} is missing: ${remedy}`);
  return found;
}

/** What a command says of its version. */
export async function versionOf(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)(command, ['--version']);
  return /\d[\w.-]*/.exec(stdout)?.[0] ?? stdout.trim();
}

export interface Child {
  readonly process: ChildProcess;
  /** A folder of its own, deleted with it. */
  readonly folder: string;
  stop(): Promise<void>;
}

/**
 * Starts a process that has a new folder to itself.
 *
 * @param onEnd is told when the process ends before it is stopped, with the end of what it wrote to standard error.
 */
export async function startChild(
  command: string,
  prepare: (folder: string) => Promise<{ args: string[]; control?: boolean }>,
  onEnd: (error: Error) => void,
): Promise<Child> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  const { args, control = false } = await prepare(folder);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', control ? 'pipe' : 'ignore'] });
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (complaints = (complaints + chunk).slice(-2000)));
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      onEnd(error);
      resolve();
    });
    child.once('exit', (code, signal) => {
      onEnd(new Error(`${command} ended (${signal ?? code}).\n${complaints}`));
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return { process: child, folder, stop };
}
