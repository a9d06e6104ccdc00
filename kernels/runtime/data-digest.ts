import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/**
 * sha-256 of what a kernel learns from, in hex, so that nothing goes on with other data or is put together with it.
 *
 * @param sizes lengths that say how the tables are to be read
 */
export function dataDigest(sizes: readonly number[], tables: readonly Float64Array[]): string {
  const hash = sha256.create();
  for (const { buffer, byteOffset, byteLength } of [Float64Array.from(sizes), ...tables]) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return bytesToHex(hash.digest());
}
