/** Areas of staircases: two objectives, both minimised. Points are indices into packed values, `stride` numbers each. */

export interface Packed {
  readonly values: Float64Array;
  /** Numbers of a point; more than the objectives that count here. */
  readonly stride: number;
}

export const coordinate = ({ values, stride }: Packed, point: number, k: number): number =>
  values[point * stride + k] ?? NaN;

/**
 * Area of what `point` dominates left of `right` and below `top`, less what `covered` dominates: points within, by ascending x
 * and descending y. Only products and sums of lengths that are not negative, so that nothing cancels.
 */
export function stepArea(
  packed: Packed,
  point: number,
  right: number,
  top: number,
  covered: readonly number[],
): number {
  const bottom = coordinate(packed, point, 1);
  let from = coordinate(packed, point, 0);
  let ceiling = top;
  let area = 0;
  for (const other of covered) {
    const x = coordinate(packed, other, 0);
    area += (x - from) * (ceiling - bottom);
    from = x;
    ceiling = coordinate(packed, other, 1);
  }
  return area + (right - from) * (ceiling - bottom);
}

/** How many points of a list with ascending x have x below the limit (or at it, if `inclusive`). */
export function countBelow(packed: Packed, list: readonly number[], limit: number, inclusive: boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const x = coordinate(packed, list[middle] ?? 0, 0);
    if (inclusive ? x <= limit : x < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where the run of points that are nowhere below y ends, in a list with descending y, from `start` on. */
export function endOfRun(packed: Packed, list: readonly number[], start: number, y: number): number {
  let end = start;
  while (end < list.length && coordinate(packed, list[end] ?? 0, 1) >= y) end++;
  return end;
}

/** Two objectives, `order` ascending in the first: the area, and what each point of the staircase covers alone. */
export function sweepPlane(
  packed: Packed,
  order: readonly number[],
  corner: readonly number[],
  exclusive?: Float64Array,
): number {
  const [right = NaN, top = NaN] = corner;
  const steps: number[] = [];
  let ceiling = top;
  for (const point of order) {
    const y = coordinate(packed, point, 1);
    if (y >= ceiling) continue;
    const last = steps.at(-1);
    if (last !== undefined && coordinate(packed, last, 0) === coordinate(packed, point, 0)) steps.pop();
    steps.push(point);
    ceiling = y;
  }
  let area = 0;
  let above = top;
  steps.forEach((point, place) => {
    const y = coordinate(packed, point, 1);
    const next = steps[place + 1];
    area += (right - coordinate(packed, point, 0)) * (above - y);
    const end = next === undefined ? right : coordinate(packed, next, 0);
    if (exclusive) exclusive[point] = stepArea(packed, point, end, above, []);
    above = y;
  });
  return area;
}
