/**
 * Pareto dominance and hypervolume straight from their definitions, minimising. For tests: slow, but easy to trust.
 */

type Point = readonly number[];

/** x ≺ y: xₖ ≤ yₖ for all k and xₖ < yₖ for one. */
export function dominates(x: Point, y: Point): boolean {
  return x.every((value, k) => value <= (y[k] ?? NaN)) && x.some((value, k) => value < (y[k] ?? NaN));
}

/** Peels one front after the other. */
export function referenceRanks(points: readonly Point[]): number[] {
  const ranks = points.map(() => -1);
  for (let rank = 0; ranks.includes(-1); rank++) {
    const left = points.flatMap((_, row) => (ranks[row] === -1 ? [row] : []));
    const peeled = left.filter((row) => !left.some((other) => dominates(points[other] ?? [], points[row] ?? [])));
    for (const row of peeled) ranks[row] = rank;
  }
  return ranks;
}

/**
 * λ(⋃ᵢ [xᵢ, r]) by cutting space along the first objective at every point's value: in a slice the points that begin
 * before it cover the same (m−1)-dimensional set all along (hypervolume by slicing objectives, HSO).
 */
export function referenceHypervolume(points: readonly Point[], r: Point): number {
  const better = points.filter((x) => x.every((value, k) => value < (r[k] ?? -Infinity)));
  if (better.length === 0) return 0;
  const [end = NaN, ...rest] = r;
  const cuts = [...new Set(better.map((x) => x[0] ?? NaN))].sort((a, b) => a - b);
  let volume = 0;
  cuts.forEach((from, i) => {
    const to = cuts[i + 1] ?? end;
    const active = better.filter((x) => (x[0] ?? NaN) <= from).map((x) => x.slice(1));
    volume += (to - from) * (rest.length === 0 ? 1 : referenceHypervolume(active, rest));
  });
  return volume;
}
