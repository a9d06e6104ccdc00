/** Maps `[low, high]` to `[from, to]`; a span of zero goes to the middle. */
export function linear(low: number, high: number, from: number, to: number): (value: number) => number {
  const span = high - low;
  return (value) => (span === 0 ? (from + to) / 2 : from + ((to - from) * (value - low)) / span);
}

/** The least and the greatest of some numbers, widened a little so that marks do not touch the frame. */
export function extent(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}
