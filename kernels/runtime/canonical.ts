/**
 * Gives every NaN the same bits, in place. Processors differ in the NaN that an operation makes (x64 fff8…, arm64
 * 7ff8…), and nothing that is hashed or stored may show it.
 */
export function canonicalise<T extends Float32Array | Float64Array>(values: T): T {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.byteLength / 4);
  const wide = values.BYTES_PER_ELEMENT === 8;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i])) continue;
    if (wide) {
      words[2 * i] = 0;
      words[2 * i + 1] = 0x7ff80000;
    } else {
      words[i] = 0x7fc00000;
    }
  }
  return values;
}
