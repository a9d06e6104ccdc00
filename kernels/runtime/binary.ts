import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/**
 * Compiles the bytes of `kernels.wasm`. Where code may not be compiled at run time (Cloudflare Workers), import the
 * file as a module instead.
 */
export async function compileKernels(bytes: BufferSource): Promise<WebAssembly.Module> {
  return WebAssembly.compile(bytes);
}

/** sha-256 of the kernel binary in hex: results, replicas and snapshots of two different digests are never mixed. */
export function kernelDigest(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}
