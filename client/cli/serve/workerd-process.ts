import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { guardProcess } from '../lib/guard.ts';
import { workerdNames } from './workerd-config.ts';

/** A running workerd. */
export interface WorkerdProcess {
  readonly pid: number;
  /** Resolves when its socket is open; rejects when it ends before that. */
  readonly listening: Promise<void>;
  /** Resolves when it is gone, with the reason in words. */
  readonly ended: Promise<string>;
  /** Asks it to end, and insists after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** The binary that npm’s `workerd` brings for this platform. */
function workerdBinary(): string {
  // The package’s own executable may be a script around the binary; its signals would not arrive.
  return (createRequire(import.meta.url)('workerd') as { default: string }).default;
}

/**
 * @param logFile an open file that takes all its output.
 * @param environment what it may know; nothing else of this process’s environment reaches it.
 */
export function spawnWorkerd(
  configPath: string,
  logFile: number,
  environment: Readonly<Record<string, string>>,
): WorkerdProcess {
  const child = spawn(workerdBinary(), ['serve', '--control-fd=3', configPath, workerdNames.constant], {
    // A group of its own: Ctrl-C in a terminal reaches the supervisor alone, which then stops it in order.
    detached: true,
    stdio: ['ignore', logFile, logFile, 'pipe'],
    env: { ...environment },
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit status ${code}` : `signal ${signal}`));
  });
  const pid = child.pid ?? 0;
  if (pid > 0) {
    const removeGuard = guardProcess(pid);
    void ended.then(removeGuard);
  }
  return { pid, ended, listening: whenListening(child, ended), stop: (graceMs) => stop(child, ended, graceMs) };
}

/** workerd writes a line of JSON on its control pipe for each socket that it has opened. */
function whenListening(child: ChildProcess, ended: Promise<string>): Promise<void> {
  const control = child.stdio[3] as Readable;
  return new Promise((resolve, reject) => {
    let text = '';
    control.setEncoding('utf8');
    control.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('"listen"')) resolve();
    });
    void ended.then((reason) => reject(new Error(`workerd ended before it was ready: ${reason}`)));
  });
}

async function stop(child: ChildProcess, ended: Promise<string>, graceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(insist);
}
