import type { Minimised } from './contract.ts';

/** Half the distance, which is finite for all finite values. */
const halfDistance = (from: number, to: number): number => to / 2 - from / 2;

/** Adds one front's distances in one objective. `order`: its rows, ascending there. */
function addDistances(
  { values, objectives }: Minimised,
  order: readonly number[],
  k: number,
  distances: number[],
): void {
  const at = (place: number): number => values[(order[place] ?? 0) * objectives + k] ?? NaN;
  const last = order.length - 1;
  const range = halfDistance(at(0), at(last));
  if (!(range > 0)) return;
  order.forEach((row, place) => {
    const share = halfDistance(at(place - 1), at(place + 1)) / range;
    distances[row] = (distances[row] ?? 0) + (place === 0 || place === last ? Infinity : share);
  });
}

/**
 * Crowding distances within each front: over all objectives, how far apart a point's neighbours are, as a share of the front's
 * range (Deb, Pratap, Agarwal, Meyarivan, IEEE Trans. Evol. Comput. 6(2), 2002, section III-B). The first and the last in an
 * objective have Infinity; equal values follow each other by row. An objective without range says nothing; a front
 * of one or two rows has Infinity throughout.
 */
export function crowdingDistances(points: Minimised, fronts: readonly (readonly number[])[]): number[] {
  const { values, objectives } = points;
  const distances = new Array<number>(points.rows).fill(0);
  for (const front of fronts) {
    if (front.length <= 2) {
      for (const row of front) distances[row] = Infinity;
      continue;
    }
    for (let k = 0; k < objectives; k++) {
      const at = (row: number): number => values[row * objectives + k] ?? NaN;
      const order = [...front].sort((a, b) => at(a) - at(b) || a - b);
      addDistances(points, order, k, distances);
    }
  }
  return distances;
}
