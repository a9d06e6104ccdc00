import { coordinate, countBelow, endOfRun, stepArea } from './plane.ts';
import type { Packed } from './plane.ts';

/**
 * Volumes with three objectives by one sweep along the third: the plane's staircase gains a point at a time, and what it covers
 * holds up to the next point (Beume, Fonseca, López-Ibáñez, Paquete, Vahrenhold, IEEE Trans. Evol. Comput. 13(5), 2009). What
 * a point covers alone is followed along the way (after Guerreiro & Fonseca, HVC3D, IEEE Trans. Evol. Comput. 22(3), 2018): in
 * the plane it is the point's step, less what those dominate whom nobody but the point dominates.
 */
export class SpaceSweep {
  readonly #packed: Packed;
  readonly #corner: readonly number[];
  readonly #exclusive: Float64Array | undefined;
  /** The staircase: ascending x, descending y. */
  #steps: number[] = [];
  /** For each point of the staircase those that it alone dominates; ascending x, descending y. */
  readonly #beneath: number[][];
  /** What a point covers alone in the plane now, and the height up to which that is accounted for. */
  readonly #areas: Float64Array;
  readonly #since: Float64Array;

  /**
   * @param corner the reference; every point is better in each objective
   * @param exclusive for each point the volume it covers alone, which sweeps add to; without it they are faster
   */
  constructor(packed: Packed, corner: readonly number[], exclusive?: Float64Array) {
    const rows = packed.values.length / packed.stride;
    this.#packed = packed;
    this.#corner = corner;
    this.#exclusive = exclusive;
    this.#beneath = exclusive ? Array.from({ length: rows }, () => []) : [];
    this.#areas = new Float64Array(exclusive ? rows : 0);
    this.#since = new Float64Array(exclusive ? rows : 0);
  }

  /**
   * Covered volume of the points in `order`, which ascends in the third objective. Any of them may dominate or equal another.
   *
   * @param weight what is added to `exclusive` is multiplied by it
   */
  sweep(order: readonly number[], weight = 1): number {
    this.#steps = [];
    let area = 0;
    let volume = 0;
    let height = 0;
    for (const point of order) {
      const z = this.#at(point, 2);
      if (area > 0) volume += area * (z - height);
      height = z;
      area += this.#add(point, z, weight);
    }
    const [, , end = NaN] = this.#corner;
    if (this.#exclusive) for (const point of this.#steps) this.#settle(point, end, weight);
    return area > 0 ? volume + area * (end - height) : 0;
  }

  #at(point: number, k: number): number {
    return coordinate(this.#packed, point, k);
  }

  /** Adds a point at height z; returns what the staircase's area gains. */
  #add(point: number, z: number, weight: number): number {
    const steps = this.#steps;
    const [x, y] = [this.#at(point, 0), this.#at(point, 1)];
    const until = countBelow(this.#packed, steps, x, true);
    const left = steps[until - 1];
    if (left !== undefined && this.#at(left, 1) <= y) {
      if (this.#exclusive) this.#hide(left, until - 1, point, z, weight);
      return 0;
    }
    const place = countBelow(this.#packed, steps, x, false);
    const end = endOfRun(this.#packed, steps, place, y);
    const replaced = steps.splice(place, end - place, point);
    const gained = stepArea(this.#packed, point, this.#right(place), this.#top(place), replaced);
    if (this.#exclusive) this.#enter(point, place, replaced, gained, z, weight);
    return gained;
  }

  /** End of a step to the right, and to the top. */
  #right(place: number): number {
    const next = this.#steps[place + 1];
    return next === undefined ? (this.#corner[0] ?? NaN) : this.#at(next, 0);
  }

  #top(place: number): number {
    const previous = this.#steps[place - 1];
    return previous === undefined ? (this.#corner[1] ?? NaN) : this.#at(previous, 1);
  }

  /** A point on the staircase: it covers alone what is new, its neighbours' steps become shorter, replaced ones have no more. */
  #enter(point: number, place: number, replaced: number[], gained: number, z: number, weight: number): void {
    for (const other of replaced) this.#settle(other, z, weight);
    this.#beneath[point] = replaced;
    this.#areas[point] = gained;
    this.#since[point] = z;
    const previous = this.#steps[place - 1];
    if (previous !== undefined) {
      const list = this.#beneath[previous] ?? [];
      list.length = countBelow(this.#packed, list, this.#at(point, 0), false);
      this.#renew(previous, place - 1, z, weight);
    }
    const next = this.#steps[place + 1];
    if (next !== undefined) {
      const list = this.#beneath[next] ?? [];
      list.splice(0, endOfRun(this.#packed, list, 0, this.#at(point, 1)));
      this.#renew(next, place + 1, z, weight);
    }
  }

  /** A point under the staircase takes something from `above`, unless a second one dominates it too. */
  #hide(above: number, place: number, point: number, z: number, weight: number): void {
    const [x, y] = [this.#at(point, 0), this.#at(point, 1)];
    const second = this.#steps[place - 1];
    if (second !== undefined && this.#at(second, 1) <= y) return;
    const list = this.#beneath[above] ?? [];
    const before = list[countBelow(this.#packed, list, x, true) - 1];
    if (before !== undefined && this.#at(before, 1) <= y) return;
    const start = countBelow(this.#packed, list, x, false);
    list.splice(start, endOfRun(this.#packed, list, start, y) - start, point);
    this.#renew(above, place, z, weight);
  }

  #renew(point: number, place: number, z: number, weight: number): void {
    this.#settle(point, z, weight);
    const list = this.#beneath[point] ?? [];
    this.#areas[point] = stepArea(this.#packed, point, this.#right(place), this.#top(place), list);
  }

  #settle(point: number, z: number, weight: number): void {
    const exclusive = this.#exclusive;
    if (exclusive === undefined) return;
    const area = this.#areas[point] ?? 0;
    const rise = z - (this.#since[point] ?? 0);
    if (area > 0 && rise > 0) exclusive[point] = (exclusive[point] ?? 0) + weight * area * rise;
    this.#since[point] = z;
  }
}
