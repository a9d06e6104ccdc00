import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromRoot } from '../paths.ts';
import { executable, startChild } from './child.ts';
import { Engine } from './engine.ts';
import type { Loopback } from './loopback.ts';

/** Node for ARM on an emulated processor. */
export async function openArm(loopback: Loopback): Promise<Engine> {
  const folder = fromRoot('dist/arm');
  const command = executable('ARM', 'run "bash scripts/setup-arm.sh".', [`${folder}/qemu-aarch64-static`]);
  const mailbox = loopback.open('arm');
  const prepare = async (own: string) => {
    const path = join(own, 'program.mjs');
    await writeFile(path, loopback.program(mailbox));
    return { args: ['-L', `${folder}/sysroot`, `${folder}/node`, path] };
  };
  const version = await readFile(`${folder}/version`, 'utf8');
  const child = await startChild(command, prepare, (error) => mailbox.fail(error));
  return new Engine('arm', `(Node ${version.trim()}, emulated)`, {
    ask: (question) => mailbox.ask(question),
    close: () => child.stop(),
  });
}
