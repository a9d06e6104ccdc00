const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Base64 for URLs and headers, without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const chars = Math.min(4, bytes.length - i + 1);
    for (let j = 0; j < chars; j++) text += alphabet.charAt((bits >> (18 - 6 * j)) & 63);
  }
  return text;
}

/** @returns null where `text` is not the one encoding of some bytes, so that no two texts stand for the same bytes. */
export function fromBase64Url(text: string): Uint8Array | null {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let pending = 0;
  let filled = 0;
  for (const char of text) {
    const digit = alphabet.indexOf(char);
    if (digit < 0) return null;
    bits = ((bits << 6) | digit) & 0xffff;
    pending += 6;
    if (pending >= 8) {
      pending -= 8;
      bytes[filled++] = (bits >> pending) & 0xff;
    }
  }
  const leftover = bits & ((1 << pending) - 1);
  return pending >= 6 || leftover !== 0 ? null : bytes;
}
