import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromRoot } from '../paths.ts';
import { executable, startChild, versionOf } from './child.ts';
import { Engine } from './engine.ts';
import type { Loopback } from './loopback.ts';

/** JavaScriptCore, in the form of npm's `bun`: its install script, where it may run, moves the binary into that package. */
export async function openBun(loopback: Loopback): Promise<Engine> {
  const platform = `${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`;
  const command = executable('JavaScriptCore (npm package bun)', 'run "npm ci".', [
    fromRoot(`node_modules/@oven/bun-${platform}/bin/bun`),
    fromRoot('node_modules/bun/bin/bun.exe'),
  ]);
  const mailbox = loopback.open('bun');
  const prepare = async (folder: string) => {
    const path = join(folder, 'program.mjs');
    await writeFile(path, loopback.program(mailbox));
    return { args: ['run', path] };
  };
  const child = await startChild(command, prepare, (error) => mailbox.fail(error));
  return new Engine('bun', await versionOf(command), {
    ask: (question) => mailbox.ask(question),
    close: () => child.stop(),
  });
}
