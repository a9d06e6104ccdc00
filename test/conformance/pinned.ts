import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { compileKernels } from '../../kernels/index.ts';
import type { Digests } from './engine/conform.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The kernel binary of this checkout; `npm run build:kernels` makes it. */
export async function kernelBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(path('../../kernels/build/kernels.wasm')));
}

export async function kernelModule(): Promise<WebAssembly.Module> {
  return compileKernels(await kernelBytes());
}

/** What every engine must compute. */
export async function pinnedDigests(): Promise<Digests> {
  return JSON.parse(await readFile(path('../../test/conformance/digests.json'), 'utf8')) as Digests;
}

const sorted = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Sorted by name, a line each, so that two changes seldom meet. */
export async function pinDigests(digests: Digests): Promise<void> {
  const ordered = sorted(Object.fromEntries(Object.entries(digests).map(([kernel, cases]) => [kernel, sorted(cases)])));
  await writeFile(path('../../test/conformance/digests.json'), `${JSON.stringify(ordered, null, 2)}\n`);
}
