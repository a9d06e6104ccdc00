import { parsePoints, parseReference } from './contract.ts';
import type { Direction, Minimised, Points } from './contract.ts';
import { coveredVolume, exclusiveVolume, uncovered } from './hypervolume.ts';
import { sortIntoFronts } from './ranks.ts';

/** What the front of a set of points looks like. */
export interface ParetoSummary {
  /** Indices of the points that nobody dominates, ascending; equal points are all in it. */
  readonly front: number[];
  /** Rank of each point: 0 on the front, 1 on what is the front without rank 0, and so on. */
  readonly ranks: number[];
  /** Volume that the points cover, up to the reference. */
  readonly hypervolume: number;
  /** For each point the volume that the front would lose without it. */
  readonly contributions: number[];
  /** The reference point used. */
  readonly reference: number[];
}

function rows(points: Minimised): number[][] {
  const { values, objectives } = points;
  return Array.from({ length: points.rows }, (_, row) => [
    ...values.subarray(row * objectives, (row + 1) * objectives),
  ]);
}

const inside = (point: readonly number[], reference: readonly number[]): boolean =>
  point.every((value, k) => value < (reference[k] ?? -Infinity));

/**
 * Non-dominated rank of each point, 0 for the front. Equal points have equal ranks.
 *
 * @param points N points of m ≤ 32 objectives, all finite.
 * @param directions "min" or "max" for each objective; all "min" by default.
 * @throws KernelInputError naming the point or direction that does not fit, such as `points[3][1]` for a NaN.
 */
export function ranks(points: Points, directions?: readonly Direction[]): number[] {
  return sortIntoFronts(parsePoints(points, directions)).ranks;
}

/**
 * Indices of the points that no point dominates, ascending. Duplicates are kept.
 *
 * @throws KernelInputError as `ranks` does.
 */
export function front(points: Points, directions?: readonly Direction[]): number[] {
  const [first] = sortIntoFronts(parsePoints(points, directions)).fronts;
  return (first ?? []).sort((a, b) => a - b);
}

/**
 * Exact volume of what the points dominate, up to `reference`. A point that is not better than the reference in every
 * objective adds nothing.
 *
 * @param reference m ≤ 5 numbers, in the points' own directions.
 * @throws KernelInputError as `ranks` does, and naming `reference` when it does not fit.
 */
export function hypervolume(points: Points, reference: ArrayLike<number>, directions?: readonly Direction[]): number {
  const minimised = parsePoints(points, directions);
  const corner = [...parseReference(reference, directions, minimised.objectives || reference.length)];
  const better = rows(minimised).filter((point) => inside(point, corner));
  return coveredVolume(uncovered(better, corner.length), corner, corner.length);
}

/**
 * For each point the volume that the front would lose without it; dominated points stay out of account, as in moocore's
 * `hv_contributions`. Dominated points, duplicates and points that are not better than the reference everywhere have
 * exactly 0.
 *
 * @throws KernelInputError as `hypervolume` does.
 */
export function contributions(
  points: Points,
  reference: ArrayLike<number>,
  directions?: readonly Direction[],
): number[] {
  const minimised = parsePoints(points, directions);
  const corner = [...parseReference(reference, directions, minimised.objectives || reference.length)];
  const all = rows(minimised);
  const result = all.map(() => 0);
  const [first = []] = sortIntoFronts(minimised).fronts;
  // A point beyond the reference dominates none that is within it, so the front has all that matters.
  const members = first.flatMap((row) => {
    const point = all[row] ?? [];
    return inside(point, corner) ? [{ row, point, key: point.join() }] : [];
  });
  const copies = new Map<string, number>();
  for (const { key } of members) copies.set(key, (copies.get(key) ?? 0) + 1);
  for (const { row, point, key } of members) {
    if (copies.get(key) !== 1) continue;
    const others = members.filter((other) => other.key !== key).map((other) => other.point);
    result[row] = exclusiveVolume(point, others, corner, corner.length);
  }
  return result;
}

/**
 * A reference point for when nobody names one: the worst value of the front in each objective, moved away by a tenth
 * of the front's range there (by 1 where the front has no range).
 *
 * @throws KernelInputError as `ranks` does.
 */
export function defaultReference(points: Points, directions?: readonly Direction[]): number[] {
  const members = front(points, directions).map((row) => points[row] ?? []);
  const objectives = points[0]?.length ?? directions?.length ?? 0;
  return Array.from({ length: objectives }, (_, k) => {
    const values = members.map((member) => member[k] ?? NaN);
    const best = Math.min(...values);
    const worst = Math.max(...values);
    if (members.length === 0) return 0;
    const margin = worst > best ? (worst - best) / 10 : 1;
    return directions?.[k] === 'max' ? best - margin : worst + margin;
  });
}

/**
 * Front, ranks, hypervolume and contributions in one go.
 *
 * @param reference defaults to `defaultReference(points, directions)`.
 * @throws KernelInputError as `hypervolume` does.
 */
export function paretoSummary(
  points: Points,
  directions?: readonly Direction[],
  reference?: ArrayLike<number>,
): ParetoSummary {
  const corner = Array.from(reference ?? defaultReference(points, directions));
  return {
    front: front(points, directions),
    ranks: ranks(points, directions),
    hypervolume: hypervolume(points, corner, directions),
    contributions: contributions(points, corner, directions),
    reference: corner,
  };
}
