import { coordinate } from './plane.ts';
import type { Packed } from './plane.ts';

/**
 * Volumes by limit sets (While, Bradstreet, Barone: A fast way of calculating exact hypervolumes, IEEE Trans. Evol. Comput.
 * 16(1), 2012): what others leave a point is its box less what they cover of it, and of each other's box there is in it what
 * begins at the worse of the two in each objective. Few of these are left once those that others cover are gone.
 */
export type Measure = (packed: Packed, corner: readonly number[]) => number;

/** Volume between a point and the corner in as many objectives as the corner has. */
function boxVolume(packed: Packed, point: number, corner: readonly number[]): number {
  return corner.reduce((volume, end, k) => volume * (end - coordinate(packed, point, k)), 1);
}

/** Whether the numbers at a are nowhere worse than those at b. */
function covers(values: Float64Array, a: number, b: number, m: number): boolean {
  for (let k = 0; k < m; k++) if ((values[a + k] ?? NaN) > (values[b + k] ?? NaN)) return false;
  return true;
}

/** What of the others' boxes lies in that of `point`, in m objectives; those that others cover are left out. */
function limitSet(packed: Packed, point: number, others: readonly number[], m: number): Packed {
  const values = new Float64Array((others.length + 1) * m);
  let end = 0;
  for (const other of others) {
    for (let k = 0; k < m; k++) {
      values[end + k] = Math.max(coordinate(packed, other, k), coordinate(packed, point, k));
    }
    end = addUncovered(values, end, m);
  }
  return { values: values.slice(0, end), stride: m };
}

/** Keeps the candidate behind `end` if nobody before covers it, and drops those that it covers; returns the new end. */
function addUncovered(values: Float64Array, end: number, m: number): number {
  for (let at = 0; at < end; at += m) if (covers(values, at, end, m)) return end;
  let kept = 0;
  for (let at = 0; at <= end; at += m) {
    if (at < end && covers(values, end, at, m)) continue;
    values.copyWithin(kept, at, at + m);
    kept += m;
  }
  return kept;
}

/**
 * Volume of all points: from the worst to the best in the last objective, what a point adds to those after it has the same
 * extent in that objective all over, so that one objective falls away.
 *
 * @param measure for one objective fewer
 */
export function volumeByLimits(
  packed: Packed,
  order: readonly number[],
  corner: readonly number[],
  measure: Measure,
): number {
  const last = corner.length - 1;
  const base = corner.slice(0, last);
  let volume = 0;
  for (let place = order.length - 1; place >= 0; place--) {
    const point = order[place] ?? 0;
    const later = limitSet(packed, point, order.slice(0, place), last);
    const added = boxVolume(packed, point, base) - measure(later, base);
    volume += ((corner[last] ?? NaN) - coordinate(packed, point, last)) * added;
  }
  return volume;
}

/** What each point covers alone. @param measure for as many objectives as the corner has */
export function exclusiveByLimits(
  packed: Packed,
  order: readonly number[],
  corner: readonly number[],
  measure: Measure,
  exclusive: Float64Array,
): void {
  for (const point of order) {
    const others = order.filter((other) => other !== point);
    const shared = measure(limitSet(packed, point, others, corner.length), corner);
    // Rounding must not make a loss of what is nearly nothing.
    exclusive[point] = Math.max(boxVolume(packed, point, corner) - shared, 0);
  }
}
