import { spawn, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { superviseChild } from '../lib/child.ts';
import type { SupervisedProcess } from '../lib/supervisor.ts';
import { workerdNames } from './workerd-config.ts';

/** A running workerd. */
export interface WorkerdProcess extends SupervisedProcess {
  /** Resolves when its socket is open; rejects when it ends before that. */
  readonly listening: Promise<void>;
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
  const supervised = superviseChild(child);
  const listening = whenListening(child, supervised.ended);
  // It may end before anybody awaits this: whoever does so later sees it.
  listening.catch(() => undefined);
  return { ...supervised, listening };
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
