/**
 * Pareto dominance and hypervolume straight from their definitions, minimising. For tests: slow, but easy to trust.
 */

type Point = readonly number[];

/** x ≺ y: xₖ ≤ yₖ for all k and xₖ < yₖ for one. */
function dominates(x: Point, y: Point): boolean {
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

/**
 * crowding-distance-assignment(I) of Deb et al. 2002, section III-B, for one front; sorting is stable. Objectives without range are
 * skipped, and a front of one or two points is at its ends everywhere.
 */
export function referenceCrowding(front: readonly Point[]): number[] {
  const l = front.length;
  if (l <= 2) return front.map(() => Infinity);
  const distance = front.map(() => 0);
  front[0]?.forEach((_, m) => {
    const I = front.map((__, i) => i).sort((a, b) => (front[a]?.[m] ?? NaN) - (front[b]?.[m] ?? NaN));
    const value = (place: number): number => front[I[place] ?? -1]?.[m] ?? NaN;
    const range = value(l - 1) - value(0);
    if (range === 0) return;
    I.forEach((i, place) => {
      const end = place === 0 || place === l - 1;
      distance[i] = (distance[i] ?? 0) + (end ? Infinity : (value(place + 1) - value(place - 1)) / range);
    });
  });
  return distance;
}
