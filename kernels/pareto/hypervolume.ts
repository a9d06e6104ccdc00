import { exclusiveByLimits, volumeByLimits } from './limits.ts';
import { coordinate, sweepPlane } from './plane.ts';
import type { Packed } from './plane.ts';
import { volumeBySlices } from './slices.ts';

/** From here on limit sets are faster than slices (measured in V8, 200 points on a sphere). */
const LIMITS_FROM = 5;

function byObjective(packed: Packed, k: number): number[] {
  const order = Array.from({ length: packed.values.length / packed.stride }, (_, row) => row);
  return order.sort((a, b) => coordinate(packed, a, k) - coordinate(packed, b, k) || a - b);
}

function lineLength(packed: Packed, [best]: readonly number[], end: number, exclusive?: Float64Array): number {
  if (best === undefined) return 0;
  const length = end - coordinate(packed, best, 0);
  if (exclusive) exclusive[best] = length;
  return length;
}

/**
 * Exact volume that the points cover up to the corner, which is worse than each of them in every objective; all are minimised.
 *
 * @param packed points of as many objectives as the corner has
 * @param exclusive zeros; when given, for each point the volume that it alone covers. No point may dominate or equal another
 * one then.
 */
export function coveredVolume(packed: Packed, corner: readonly number[], exclusive?: Float64Array): number {
  const m = corner.length;
  const order = byObjective(packed, m === 2 ? 0 : m - 1);
  if (m === 1) return lineLength(packed, order, corner[0] ?? NaN, exclusive);
  if (m === 2) return sweepPlane(packed, order, corner, exclusive);
  if (m < LIMITS_FROM) return volumeBySlices(packed, order, corner, exclusive);
  if (exclusive) exclusiveByLimits(packed, order, corner, coveredVolume, exclusive);
  return volumeByLimits(packed, order, corner, coveredVolume);
}
