import { KernelInputError } from './errors.ts';

const ALPHABET = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');
const PADDING = '='.charCodeAt(0);
/** What is no digit; its bits show in any combination of digits. */
const NO_DIGIT = 0xff;

const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
ALPHABET.forEach((code, digit) => (DIGITS[code] = digit));

/** Standard base64 with padding, of the bytes of any array. Models have megabytes, so that `btoa` and its strings of bytes would be slow. */
export function encodeBase64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  const text = new Uint8Array(4 * Math.ceil(bytes.length / 3)).fill(PADDING);
  let place = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const digits = Math.min(bytes.length - i, 3) + 1;
    for (let digit = 0; digit < digits; digit++) text[place + digit] = ALPHABET[(word >> (18 - 6 * digit)) & 63] ?? 0;
    place += 4;
  }
  return new TextDecoder().decode(text);
}

/** @throws KernelInputError naming `field` unless `text` is the base64 of exactly `length` bytes. */
export function decodeBase64(field: string, text: unknown, length: number): Uint8Array<ArrayBuffer> {
  const refuse = (): never => {
    throw new KernelInputError(field, `base64 of ${length} bytes`, text);
  };
  if (typeof text !== 'string' || text.length !== 4 * Math.ceil(length / 3)) return refuse();
  const padding = (3 - (length % 3)) % 3;
  if (!text.endsWith('='.repeat(padding))) return refuse();
  const codes = new TextEncoder().encode(text);
  // Characters beyond ASCII take more than one byte.
  if (codes.length !== text.length) return refuse();
  const bytes = new Uint8Array(length);
  let seen = 0;
  let place = 0;
  for (let i = 0; place < length; i += 4) {
    const count = Math.min(length - place, 3);
    let word = 0;
    for (let digit = 0; digit <= count; digit++) {
      const value = DIGITS[codes[i + digit] ?? 0] ?? NO_DIGIT;
      seen |= value;
      word |= value << (18 - 6 * digit);
    }
    bytes[place] = word >> 16;
    if (count > 1) bytes[place + 1] = word >> 8;
    if (count > 2) bytes[place + 2] = word;
    place += count;
  }
  return seen > 63 ? refuse() : bytes;
}
