import { sortableId } from '#protocol';

/** What is made under an owner’s `Idempotency-Key` has always the same id, so that a repeat reaches the same object. */
export async function keyedId(sub: string, key: string): Promise<string> {
  const text = new TextEncoder().encode(`${sub}\n${key}`);
  const hash = await crypto.subtle.digest('SHA-256', text);
  const time = new DataView(hash).getUint32(0) * 2 ** 16 + new DataView(hash).getUint16(4);
  return sortableId(time, new Uint8Array(hash, 6, 10));
}
