import { rowKey } from '#kernels/csv';
import type { Rng } from '#kernels/rng';
import type { Input } from '#protocol';

/** The value of `input` at a share 0 … 1 of its range; whole numbers have equal shares. */
export function valueAt(input: Input, share: number): number {
  const { min, max } = input;
  if (input.type === 'integer') return Math.min(min + Math.floor(share * (max - min + 1)), max);
  return Math.min(min + share * (max - min), max);
}

/** `count` points of which each input’s values fall one into each of `count` equal parts of its range (McKay et al. 1979). */
export function latinHypercube(inputs: readonly Input[], count: number, rng: Rng): number[][] {
  const columns = inputs.map((input) => {
    const parts = Uint32Array.from({ length: count }, (_, part) => part);
    rng.shuffle(parts);
    return Array.from(parts, (part) => valueAt(input, (part + rng.uniform()) / count));
  });
  return Array.from({ length: count }, (_, row) => columns.map((column) => column[row] ?? 0));
}

export function randomPoint(inputs: readonly Input[], rng: Rng): number[] {
  return inputs.map((input) => valueAt(input, rng.uniform()));
}

/** How many points a box has: infinitely many unless all inputs are whole numbers. */
export function sizeOf(inputs: readonly Input[]): number {
  return inputs.reduce((size, input) => size * (input.type === 'integer' ? input.max - input.min + 1 : Infinity), 1);
}

/** After so many draws in vain an integer box is gone through point by point. */
const maxDraws = 200;

/** Up to `count` random points that are not in `tried` (by `rowKey`), each only once; fewer when the box has no more. */
export function untriedPoints(
  inputs: readonly Input[],
  count: number,
  rng: Rng,
  tried: ReadonlySet<string>,
): number[][] {
  const taken = new Set(tried);
  const points: number[][] = [];
  const take = (point: number[]): boolean => {
    const key = rowKey(point);
    if (taken.has(key)) return false;
    taken.add(key);
    points.push(point);
    return true;
  };
  for (let draws = 0; points.length < count && draws < maxDraws; draws++) {
    if (take(randomPoint(inputs, rng))) draws = 0;
  }
  if (points.length < count && Number.isFinite(sizeOf(inputs))) {
    for (const point of grid(inputs)) {
      if (points.length === count) break;
      take(point);
    }
  }
  return points;
}

/** All points of a box of whole numbers. */
function* grid(inputs: readonly Input[]): Generator<number[]> {
  const point = inputs.map(({ min }) => min);
  for (;;) {
    yield [...point];
    let k = 0;
    for (; k < inputs.length; k++) {
      const input = inputs[k];
      if (input === undefined || (point[k] ?? 0) < input.max) break;
      point[k] = input.min;
    }
    if (k === inputs.length) return;
    point[k] = (point[k] ?? 0) + 1;
  }
}
