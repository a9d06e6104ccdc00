import { compileKernels, kernelDigest } from '#kernels';
import { TabgridError } from '#protocol';
import kernelsUrl from '../../../kernels/build/kernels.wasm?url';

export { kernelsUrl };

export interface Kernels {
  module: WebAssembly.Module;
  /** sha-256 of the binary, in hex. */
  digest: string;
}

/** Compiles the kernels once for all cores: a compiled module is shared with Web Workers, not copied. */
export async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Kernels> {
  return { module: await compileKernels(bytes), digest: kernelDigest(bytes) };
}

/**
 * Fetches a file that this page was built with.
 *
 * @throws TabgridError `unavailable` when it does not arrive; `upgrade_required` when it is gone, because a newer deployment replaced it.
 */
export async function fetchOwn(url: string, fetchIt: typeof fetch): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetchIt(url).catch(() => null);
  if (response?.status === 404)
    throw new TabgridError('upgrade_required', 'The server has a newer version of this page.');
  if (!response?.ok) throw new TabgridError('unavailable', 'The server does not answer.');
  return new Uint8Array(await response.arrayBuffer());
}
