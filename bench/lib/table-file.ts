import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `use` with the path of a file that holds the numbers of all `parts`, one after the other, little-endian; peers read their tables so. */
export async function withTable<T, Numbers extends Float32Array | Float64Array>(
  parts: readonly Numbers[],
  use: (path: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tabgrid-bench-'));
  try {
    const path = join(folder, 'table');
    await writeFile(
      path,
      Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength))),
    );
    return await use(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}
