import { KernelInputError, requireChoice, requireFiniteArray } from '../runtime/index.ts';

export type Direction = 'min' | 'max';

/** N points of m objectives each. */
export type Points = readonly ArrayLike<number>[];

/** Most objectives for which hypervolumes are computed: the effort grows exponentially with m. */
export const MAX_OBJECTIVES = 5;
/** Most objectives for ranks and fronts. */
export const MAX_RANKED_OBJECTIVES = 32;
/** Most points of one call. */
export const MAX_POINTS = 100_000;

/** Largest relative difference of hypervolumes and contributions between run.ts, reference.ts and golden numbers. */
export const HYPERVOLUME_TOLERANCE = 1e-10;

/** Points turned so that every objective is minimised, packed row by row. */
export interface Minimised {
  readonly values: Float64Array;
  /** N, number of points. */
  readonly rows: number;
  /** m, number of objectives; 0 when there are no points and no directions. */
  readonly objectives: number;
}

const DIRECTIONS: readonly Direction[] = ['min', 'max'];

const isList = (value: unknown): boolean => Array.isArray(value);

function checkDirections(directions: readonly Direction[] | undefined, objectives: number): readonly Direction[] {
  if (directions === undefined) return Array.from({ length: objectives }, () => 'min' as const);
  if (!isList(directions)) throw new KernelInputError('directions', 'a list of "min" and "max"', directions);
  if (directions.length !== objectives) {
    throw new KernelInputError('directions', `${objectives} directions, one for each objective`, directions);
  }
  return directions.map((direction, k) => requireChoice(`directions[${k}]`, direction, DIRECTIONS));
}

function requireList(field: string, value: ArrayLike<number>): ArrayLike<number> {
  if (isList(value) || ArrayBuffer.isView(value)) return value;
  throw new KernelInputError(field, 'a list of numbers', value);
}

/** Signs that turn maximisation into minimisation. Negation is exact. */
function turn(row: ArrayLike<number>, directions: readonly Direction[], out: Float64Array, offset: number): void {
  for (let k = 0; k < directions.length; k++) {
    const value = row[k] ?? NaN;
    out[offset + k] = directions[k] === 'max' ? -value : value;
  }
}

/**
 * Checks points and directions, and turns everything into minimisation.
 *
 * @throws KernelInputError naming the row (`points[3][1]`) that is too short, too long, NaN or infinite.
 */
export function parsePoints(points: Points, directions: readonly Direction[] | undefined): Minimised {
  if (!isList(points)) throw new KernelInputError('points', 'a list of points', points);
  if (points.length > MAX_POINTS) throw new KernelInputError('points', `at most ${MAX_POINTS} points`, points);
  const objectives = points[0]?.length ?? directions?.length ?? 0;
  if (points.length > 0 && (objectives < 1 || objectives > MAX_RANKED_OBJECTIVES)) {
    throw new KernelInputError('points[0]', `1 to ${MAX_RANKED_OBJECTIVES} objectives`, points[0]);
  }
  const signs = checkDirections(directions, objectives);
  const values = new Float64Array(points.length * objectives);
  points.forEach((point, row) => {
    const checked = requireFiniteArray(`points[${row}]`, requireList(`points[${row}]`, point), objectives);
    turn(checked, signs, values, row * objectives);
  });
  return { values, rows: points.length, objectives };
}

/**
 * Checks a reference point and turns it into minimisation.
 *
 * @throws KernelInputError unless it has as many finite numbers as the points, and these are at most MAX_OBJECTIVES.
 */
export function parseReference(
  reference: ArrayLike<number>,
  directions: readonly Direction[] | undefined,
  objectives: number,
): Float64Array {
  if (objectives > MAX_OBJECTIVES) {
    throw new KernelInputError('points[0]', `at most ${MAX_OBJECTIVES} objectives for a hypervolume`, objectives);
  }
  const turned = new Float64Array(objectives);
  const checked = requireFiniteArray('reference', requireList('reference', reference), objectives);
  turn(checked, checkDirections(directions, objectives), turned, 0);
  return turned;
}

/**
 * Refuses volumes that no double holds.
 *
 * @param values points turned into minimisation, all better than the corner
 */
export function requireVolume(values: Float64Array, corner: readonly number[]): void {
  let volume = 1;
  corner.forEach((end, k) => {
    let least = end;
    for (let i = k; i < values.length; i += corner.length) least = Math.min(least, values[i] ?? end);
    volume *= Math.max(end - least, 1);
  });
  if (volume === Infinity) throw new KernelInputError('reference', 'a volume below 1.8e308 up to the points', corner);
}
