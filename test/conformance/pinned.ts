import { readFile, writeFile } from 'node:fs/promises';
import { compileKernels } from '../../kernels/index.ts';
import { fromRoot } from './paths.ts';
import type { Digests } from './program/conform.ts';

const pinned = fromRoot('test/conformance/digests.json');

/** The kernel binary of this checkout; `npm run build:kernels` makes it. */
export async function kernelBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(fromRoot('kernels/build/kernels.wasm')));
}

export async function kernelModule(): Promise<WebAssembly.Module> {
  return compileKernels(await kernelBytes());
}

/** What every engine must compute. */
export async function pinnedDigests(): Promise<Digests> {
  return JSON.parse(await readFile(pinned, 'utf8')) as Digests;
}

const sorted = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Sorted by name, a line each, so that two changes seldom meet. */
export async function pinDigests(digests: Digests): Promise<void> {
  const ordered = sorted(Object.fromEntries(Object.entries(digests).map(([kernel, cases]) => [kernel, sorted(cases)])));
  await writeFile(pinned, `${JSON.stringify(ordered, null, 2)}\n`);
}
