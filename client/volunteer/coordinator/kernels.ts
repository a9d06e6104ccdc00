import { compileKernels, kernelDigest } from '#kernels';
import { TabgridError } from '#protocol';
import kernelsUrl from '../../../kernels/build/kernels.wasm?url';

export interface Kernels {
  module: WebAssembly.Module;
  /** sha-256 of the binary, in hex. */
  digest: string;
}

/**
 * Fetches and compiles the kernels once for all cores: a compiled module is shared with Web Workers, not copied.
 *
 * @throws TabgridError `unavailable` when the file does not arrive.
 */
export async function loadKernels(fetchIt: typeof fetch): Promise<Kernels> {
  const response = await fetchIt(kernelsUrl).catch(() => null);
  if (!response?.ok) throw new TabgridError('unavailable', 'The kernels could not be loaded from the server.');
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { module: await compileKernels(bytes), digest: kernelDigest(bytes) };
}
