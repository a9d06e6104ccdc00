import { parsePoints, parseReference } from './contract.ts';
import type { Direction, Minimised, Points } from './contract.ts';
import { coveredVolume, exclusiveVolume, planeExclusive, uncovered } from './hypervolume.ts';
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

/** A point of the front, and how many there are of it. */
interface Member {
  readonly row: number;
  readonly point: readonly number[];
  copies: number;
}

function exclusiveVolumes(members: readonly Member[], corner: readonly number[]): number[] {
  const points = members.map((member) => member.point);
  if (corner.length === 2) return planeExclusive(points, corner);
  return points.map((point) => {
    const others = points.filter((other) => other !== point);
    return exclusiveVolume(point, others, corner, corner.length);
  });
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
  const m = corner.length;
  return coveredVolume(m > 2 ? uncovered(better, m) : better, corner, m);
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
    return inside(point, corner) ? [{ row, point }] : [];
  });
  const groups = new Map<string, Member>();
  for (const { row, point } of members) {
    const key = point.join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { row, point, copies: 1 });
    else group.copies += 1;
  }
  const distinct = [...groups.values()];
  const volumes = exclusiveVolumes(distinct, corner);
  distinct.forEach(({ row, copies }, index) => {
    if (copies === 1) result[row] = volumes[index] ?? NaN;
  });
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
    const least = values.reduce((a, b) => Math.min(a, b), Infinity);
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    if (members.length === 0) return 0;
    const margin = most > least ? (most - least) / 10 : 1;
    return directions?.[k] === 'max' ? least - margin : most + margin;
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
