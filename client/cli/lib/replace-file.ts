import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes a name last through a power cut: what a folder lists is data of its own. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Lets `write` make a file beside the present one, then puts it in its place. `write` must have synced the bytes. */
export async function replaceFile(
  path: string,
  write: (temporary: string) => Promise<void>,
  temporary = `${path}.${process.pid}.tmp`,
): Promise<void> {
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}
