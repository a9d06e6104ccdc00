/** Bytes `offset … offset + length - 1`. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * What a `Range` header asks of a file (RFC 9110 §14). A header that is not one range of bytes is ignored, as the RFC allows.
 * @param size the file’s, in bytes.
 */
export function parseRange(header: string | null, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
  }
  const offset = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < offset) return 'whole';
  return offset >= size ? 'unsatisfiable' : { offset, length: end - offset + 1 };
}

/** The `Content-Range` of a part, or of a refusal. */
export function contentRange(range: ByteRange | null, size: number): string {
  return range === null ? `bytes */${size}` : `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`;
}
