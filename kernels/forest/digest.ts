import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { ForestData } from './contract.ts';

/** sha-256 of a table, so that trees of different tables are not put together. */
export function dataDigest({ inputs, targets, rows, dimension, classes = 0 }: ForestData): string {
  const hash = sha256.create();
  hash.update(new Uint8Array(Float64Array.of(rows, dimension, classes).buffer));
  for (const { buffer, byteOffset, byteLength } of [inputs, targets]) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return bytesToHex(hash.digest());
}
