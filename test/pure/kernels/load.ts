import { readFile } from 'node:fs/promises';
import { compileKernels } from '../../../kernels/index.ts';

/** The kernel binary of this checkout; `npm run build:kernels` makes it. */
export async function kernelBytes(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(new URL('../../../kernels/build/kernels.wasm', import.meta.url)));
}

export async function kernelModule(): Promise<WebAssembly.Module> {
  return compileKernels(await kernelBytes());
}
