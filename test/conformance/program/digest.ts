import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { canonicalise } from '../../../kernels/runtime/index.ts';
import type { Part } from '../cases/index.ts';

function bytesOf(part: Part): Uint8Array {
  if (typeof part === 'string') return new TextEncoder().encode(part);
  const array = ArrayBuffer.isView(part) ? part : canonicalise(Float64Array.from(part));
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** sha-256 of the parts in order, in hex. */
export const digestOf = (parts: readonly Part[]): string => bytesToHex(sha256(concatBytes(...parts.map(bytesOf))));
