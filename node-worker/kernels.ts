import { readFile } from 'node:fs/promises';
import { compileKernels, kernelDigest } from '#kernels';
import { TabgridError } from '#protocol';

export interface Kernels {
  file: string;
  module: WebAssembly.Module;
  digest: string;
}

/** Reads and compiles the kernel binary once; threads share the module. */
export async function loadKernels(file: string): Promise<Kernels> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new TabgridError('not_configured', `${file} cannot be read; npm run build makes it.`, { cause });
  });
  return { file, module: await compileKernels(new Uint8Array(bytes)), digest: kernelDigest(bytes) };
}
