/**
 * Exact hypervolumes by recursion over limit sets, after WFG (While, Bradstreet, Barone: A fast way of calculating
 * exact hypervolumes, IEEE Trans. Evol. Comput. 16(1), 2012) with slicing along the last objective.
 *
 * All objectives are minimised here. A set is a list of points of at least m numbers, of which the first m count.
 */
type Point = readonly number[];

const at = (point: Point, k: number): number => point[k] ?? NaN;

/** Volume between a point and the reference in the first m objectives. */
function boxVolume(point: Point, reference: Point, m: number): number {
  let volume = 1;
  for (let k = 0; k < m; k++) volume *= at(reference, k) - at(point, k);
  return volume;
}

/** Whether a is nowhere worse than b in the first m objectives; equal points cover each other. */
function covers(a: Point, b: Point, m: number): boolean {
  for (let k = 0; k < m; k++) if (at(a, k) > at(b, k)) return false;
  return true;
}

/** The points that no other point covers, one of each group of equals. */
export function uncovered(points: readonly Point[], m: number): Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    if (kept.some((other) => covers(other, point, m))) continue;
    let places = 0;
    for (const other of kept) if (!covers(point, other, m)) kept[places++] = other;
    kept.length = places;
    kept.push(point);
  }
  return kept;
}

/** What of each point's box lies in the box of `point`: the componentwise worse of the two. */
function limitSet(points: readonly Point[], point: Point, m: number): Point[] {
  const limited = points.map((other) => {
    const worse: number[] = [];
    for (let k = 0; k < m; k++) worse.push(Math.max(at(other, k), at(point, k)));
    return worse;
  });
  return uncovered(limited, m);
}

function planeArea(points: readonly Point[], reference: Point): number {
  const ordered = [...points].sort((a, b) => at(a, 0) - at(b, 0) || at(a, 1) - at(b, 1));
  let area = 0;
  let ceiling = at(reference, 1);
  for (const point of ordered) {
    if (at(point, 1) >= ceiling) continue;
    area += (at(reference, 0) - at(point, 0)) * (ceiling - at(point, 1));
    ceiling = at(point, 1);
  }
  return area;
}

/**
 * Volume covered by the points in the first m objectives. Every point must be better than the reference everywhere.
 *
 * From the worst to the best in the last objective: what a point adds to those after it has the same extent in that
 * objective all over, so that one objective falls away.
 */
export function coveredVolume(points: readonly Point[], reference: Point, m: number): number {
  if (points.length === 0) return 0;
  if (m === 1) return at(reference, 0) - points.reduce((least, point) => Math.min(least, at(point, 0)), Infinity);
  if (m === 2) return planeArea(points, reference);
  const last = m - 1;
  const ordered = [...points].sort((a, b) => at(b, last) - at(a, last));
  let volume = 0;
  ordered.forEach((point, index) => {
    const later = limitSet(ordered.slice(index + 1), point, last);
    const added = boxVolume(point, reference, last) - coveredVolume(later, reference, last);
    volume += (at(reference, last) - at(point, last)) * added;
  });
  return volume;
}

/** Volume that only `point` covers, among itself and `others`. */
export function exclusiveVolume(point: Point, others: readonly Point[], reference: Point, m: number): number {
  return boxVolume(point, reference, m) - coveredVolume(limitSet(others, point, m), reference, m);
}

/** What each of several points alone covers in the plane, where none of them covers another. */
export function planeExclusive(points: readonly Point[], reference: Point): number[] {
  const order = points.map((_, index) => index).sort((a, b) => at(points[a] ?? [], 0) - at(points[b] ?? [], 0));
  const areas = points.map(() => 0);
  order.forEach((index, place) => {
    const point = points[index] ?? [];
    const before = points[order[place - 1] ?? -1] ?? reference;
    const after = points[order[place + 1] ?? -1] ?? reference;
    areas[index] = (at(after, 0) - at(point, 0)) * (at(before, 1) - at(point, 1));
  });
  return areas;
}
