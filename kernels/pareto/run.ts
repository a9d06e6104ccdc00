import { parsePoints, parseReference, requireVolume } from './contract.ts';
import type { Direction, Minimised, Points } from './contract.ts';
import { crowdingDistances } from './crowding.ts';
import { coveredVolume } from './hypervolume.ts';
import { sortIntoFronts } from './ranks.ts';

/** What the front of a set of points looks like. */
export interface ParetoSummary {
  /** Indices of the points that nobody dominates, ascending; equal points are all in it. */
  readonly front: number[];
  /** Rank of each point: 0 on the front, 1 on what is the front without rank 0, and so on. */
  readonly ranks: number[];
  /** Crowding distance of each point within its rank; see `crowding`. */
  readonly crowding: number[];
  /** Volume that the points cover, up to the reference. */
  readonly hypervolume: number;
  /** For each point the volume that the front would lose without it. */
  readonly contributions: number[];
  /** The reference point used. */
  readonly reference: number[];
}

/** Points ready for measuring. */
interface Measurable {
  readonly points: Minimised;
  readonly corner: readonly number[];
}

function measurable(points: Points, reference: ArrayLike<number>, directions?: readonly Direction[]): Measurable {
  const minimised = parsePoints(points, directions);
  const corner = [...parseReference(reference, directions, minimised.objectives || reference.length)];
  return { points: minimised, corner };
}

const ascending = (rows: readonly number[] = []): number[] => [...rows].sort((a, b) => a - b);

/** The rows that are better than the corner everywhere, one of each group of equals, and how many of it there are. */
function distinctInside({ points, corner }: Measurable, rows: readonly number[]): { row: number; copies: number }[] {
  const groups = new Map<string, { row: number; copies: number }>();
  for (const row of rows) {
    const point = points.values.subarray(row * corner.length, (row + 1) * corner.length);
    if (!point.every((value, k) => value < (corner[k] ?? -Infinity))) continue;
    const key = point.join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { row, copies: 1 });
    else group.copies += 1;
  }
  return [...groups.values()];
}

/** Volume of the front, and what each of all rows contributes, if wanted. */
function measure(problem: Measurable, front: readonly number[], contributions?: number[]): number {
  const { points, corner } = problem;
  const stride = corner.length;
  const members = distinctInside(problem, front);
  const values = new Float64Array(members.length * stride);
  members.forEach(({ row }, place) => {
    values.set(points.values.subarray(row * stride, (row + 1) * stride), place * stride);
  });
  requireVolume(values, corner);
  const exclusive = contributions && new Float64Array(members.length);
  const volume = coveredVolume({ values, stride }, corner, exclusive);
  members.forEach(({ row, copies }, place) => {
    if (contributions && copies === 1) contributions[row] = exclusive?.[place] ?? 0;
  });
  return volume;
}

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
  return ascending(sortIntoFronts(parsePoints(points, directions)).fronts[0]);
}

/**
 * Crowding distance of each point among those of its rank (Deb et al. 2002): the greater, the lonelier. Infinity for the
 * first and the last in an objective, and in a rank of one or two points. Of equal points some may have 0.
 *
 * @throws KernelInputError as `ranks` does.
 */
export function crowding(points: Points, directions?: readonly Direction[]): number[] {
  const minimised = parsePoints(points, directions);
  return crowdingDistances(minimised, sortIntoFronts(minimised).fronts);
}

/**
 * Exact volume of what the points dominate, up to `reference`. A point that is not better than the reference in every
 * objective adds nothing.
 *
 * @param reference m ≤ 5 numbers, in the points' own directions.
 * @throws KernelInputError as `ranks` does, and naming `reference` when it does not fit or lies so far away that the volume is
 * beyond 1.8e308.
 */
export function hypervolume(points: Points, reference: ArrayLike<number>, directions?: readonly Direction[]): number {
  const problem = measurable(points, reference, directions);
  return measure(problem, sortIntoFronts(problem.points).fronts[0] ?? []);
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
  const problem = measurable(points, reference, directions);
  const result = new Array<number>(points.length).fill(0);
  measure(problem, sortIntoFronts(problem.points).fronts[0] ?? [], result);
  return result;
}

/** The worst value of each objective; 0 where there are no points. */
export function worstPoint(points: Points, directions?: readonly Direction[]): number[] {
  const objectives = points[0]?.length ?? directions?.length ?? 0;
  return Array.from({ length: objectives }, (_, k) => {
    const [start, worse] = directions?.[k] === 'max' ? [Infinity, Math.min] : [-Infinity, Math.max];
    return points.length === 0 ? 0 : points.reduce((worst, point) => worse(worst, point[k] ?? NaN), start);
  });
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
 * Front, ranks, crowding, hypervolume and contributions in one go.
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
  const problem = measurable(points, corner, directions);
  const { fronts, ranks: all } = sortIntoFronts(problem.points);
  const shares = new Array<number>(points.length).fill(0);
  const volume = measure(problem, fronts[0] ?? [], shares);
  return {
    front: ascending(fronts[0]),
    ranks: all,
    crowding: crowdingDistances(problem.points, fronts),
    hypervolume: volume,
    contributions: shares,
    reference: corner,
  };
}
