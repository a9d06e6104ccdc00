import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { built } from '../serve/manifest.ts';

/** The sha-256 of the kernel binary that workers of this installation run, in hex. */
export async function readDigest(): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(built.node, 'kernels.wasm')))
    .digest('hex');
}
