import { KernelInputError } from './errors.ts';

/** Characters per call: `String.fromCharCode` takes its arguments from the stack. */
const CHUNK_BYTES = 8192;

/** Standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(from, from + CHUNK_BYTES));
  }
  return btoa(binary);
}

/** @throws KernelInputError naming `field` unless `text` is the base64 of exactly `length` bytes. */
export function decodeBase64(field: string, text: unknown, length: number): Uint8Array {
  const expected = `base64 of ${length} bytes`;
  if (typeof text !== 'string' || text.length !== 4 * Math.ceil(length / 3)) {
    throw new KernelInputError(field, expected, text);
  }
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new KernelInputError(field, expected, text);
  }
  if (binary.length !== length) throw new KernelInputError(field, expected, text);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
