import { coordinate } from './plane.ts';
import type { Packed } from './plane.ts';
import { SpaceSweep } from './space.ts';

/**
 * Volumes by slicing: space is cut along the last objective at each point, and what a slice covers is measured with one
 * objective fewer, down to the sweep of three (While, Hingston, Barone, Huband, IEEE Trans. Evol. Comput. 10(1), 2006). A point
 * that others dominate within the slices is left out as soon as it cannot count any more.
 */

/** Whether a is nowhere worse than b in the first k objectives. */
function covers(packed: Packed, a: number, b: number, k: number): boolean {
  const { values, stride } = packed;
  for (let j = 0; j < k; j++) {
    if ((values[a * stride + j] ?? NaN) > (values[b * stride + j] ?? NaN)) return false;
  }
  return true;
}

/** A slice's points, in the order of the objective along which it will be cut in turn. */
class Slice {
  readonly members: number[] = [];
  readonly #packed: Packed;
  readonly #objectives: number;
  /** Number of dominators that make a point useless: one for the volume, two for what points cover alone. */
  readonly #limit: number;
  /** For each point by how many members it is dominated; of equal ones the later by the earlier. */
  readonly #dominators: Uint8Array;

  constructor(packed: Packed, objectives: number, limit: number, dominators: Uint8Array) {
    this.#packed = packed;
    this.#objectives = objectives;
    this.#limit = limit;
    this.#dominators = dominators;
  }

  /** Whether enough members dominate or equal the point that it changes nothing. */
  ignores(point: number): boolean {
    let dominators = 0;
    for (const other of this.members) {
      if (covers(this.#packed, other, point, this.#objectives) && ++dominators === this.#limit) return true;
    }
    this.#dominators[point] = dominators;
    return false;
  }

  /** Adds a point that is not ignored, and drops those that it makes useless. */
  add(point: number): void {
    const { members } = this;
    const [packed, k] = [this.#packed, this.#objectives];
    let kept = 0;
    for (const other of members) {
      const below = covers(packed, point, other, k) && !covers(packed, other, point, k);
      const dominators = (this.#dominators[other] ?? 0) + (below ? 1 : 0);
      this.#dominators[other] = dominators;
      if (dominators < this.#limit) members[kept++] = other;
    }
    members.length = kept;
    this.#insert(point);
  }

  #insert(point: number): void {
    const { members } = this;
    const last = this.#objectives - 1;
    const value = coordinate(this.#packed, point, last);
    let place = members.length;
    while (place > 0 && coordinate(this.#packed, members[place - 1] ?? 0, last) > value) place--;
    members.splice(place, 0, point);
  }
}

/**
 * Volume of three objectives or more.
 *
 * @param order all points, ascending in the last objective
 * @param exclusive when given, what each point covers alone is added to it
 */
export function volumeBySlices(
  packed: Packed,
  order: readonly number[],
  corner: readonly number[],
  exclusive?: Float64Array,
): number {
  const space = new SpaceSweep(packed, corner, exclusive);
  const limit = exclusive ? 2 : 1;
  const counters = corner.map(() => new Uint8Array(packed.values.length / packed.stride));

  const measure = (members: readonly number[], k: number, weight: number): number => {
    if (k === 3) return space.sweep(members, weight);
    const slice = new Slice(packed, k - 1, limit, counters[k - 1] ?? new Uint8Array(order.length));
    let volume = 0;
    let start = 0;
    const close = (end: number): void => {
      const thickness = end - start;
      start = end;
      if (slice.members.length === 0 || thickness <= 0) return;
      volume += thickness * measure(slice.members, k - 1, weight * thickness);
    };
    for (const point of members) {
      if (slice.ignores(point)) continue;
      close(coordinate(packed, point, k - 1));
      slice.add(point);
    }
    close(corner[k - 1] ?? NaN);
    return volume;
  };
  return measure(order, corner.length, 1);
}
