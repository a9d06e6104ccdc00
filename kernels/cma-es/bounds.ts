/** The bounds of bounds.as.ts from outside: how wide their margins are, and the way back. */

/** Width of the bent margin at each bound: a twentieth of the bound's size (of 1 at least), half the range at most. */
export function margin(bound: number, lower: number, upper: number): number {
  if (!Number.isFinite(bound)) return 1;
  return Math.min((upper - lower) / 2, Math.max(1, Math.abs(bound)) / 20);
}

/** The number that is bent to x: where the search has its mean when it begins at x. */
export function unbend(x: number, lower: number, upper: number): number {
  const low = margin(lower, lower, upper);
  const high = margin(upper, lower, upper);
  if (x < lower + low) return lower - low + 2 * Math.sqrt(low * (x - lower));
  if (x > upper - high) return upper + high - 2 * Math.sqrt(high * (upper - x));
  return x;
}
