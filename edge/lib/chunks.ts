/** Splits a list so that each piece has at most so many characters of JSON, or one item. For messages: each is one row of an outbox. */
export function chunksOf<T>(items: readonly T[], maxChars: number): T[][] {
  const chunks: T[][] = [];
  let chars = 0;
  for (const item of items) {
    const itemChars = JSON.stringify(item).length;
    const chunk = chunks.at(-1);
    if (chunk === undefined || chars + itemChars > maxChars) {
      chunks.push([item]);
      chars = itemChars;
    } else {
      chunk.push(item);
      chars += itemChars;
    }
  }
  return chunks;
}
