import { KernelInputError, requireNumber } from '../runtime/index.ts';
import type { RunBlock } from './block.ts';
import { unbend } from './bounds.ts';
import type { ResolvedOptions } from './options.ts';

/** What guests a run knows of: rows of d numbers. */
export interface GuestState {
  /** Points that wait for a population. */
  readonly waiting: Float64Array;
  /** Points that are in the population which is out. */
  readonly present: Float64Array;
  /** Directions of the mirror images in the next population, or in the one that is out. */
  readonly images: Float64Array;
}

const rows = (numbers: Float64Array, d: number): Float64Array[] =>
  Array.from({ length: numbers.length / d }, (_, k) => numbers.slice(k * d, (k + 1) * d));

function join(list: readonly Float64Array[], d: number): Float64Array {
  const joined = new Float64Array(list.length * d);
  list.forEach((row, k) => {
    joined.set(row, k * d);
  });
  return joined;
}

/** Candidates that are not drawn: x0, mirror images of the worst of the last generation, and injected points. */
export class Guests {
  readonly #options: ResolvedOptions;
  #waiting: Float64Array[] = [];
  #present: Float64Array[] = [];
  #images: Float64Array[] = [];

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  save(): GuestState {
    const d = this.#options.dimension;
    return { waiting: join(this.#waiting, d), present: join(this.#present, d), images: join(this.#images, d) };
  }

  load({ waiting, present, images }: GuestState): void {
    const d = this.#options.dimension;
    this.#waiting = rows(waiting, d);
    this.#present = rows(present, d);
    this.#images = rows(images, d);
  }

  /** Takes points in, d numbers each, of the free variables. */
  add(points: readonly Float64Array[]): void {
    const { popsize, mirrors, paired } = this.#options;
    if (points.length > 0 && paired && 2 * mirrors >= popsize) {
      throw new KernelInputError('solutions', 'a population with candidates that are not mirror images', points.length);
    }
    this.#waiting.push(...points.map((point) => point.slice()));
  }

  /** Points that have not been asked for. */
  waiting(): readonly Float64Array[] {
    return this.#waiting;
  }

  /** Chooses who joins the next population. */
  invite(): void {
    const { popsize, mirrors, paired, elitist } = this.#options;
    const taken = (paired ? 2 * mirrors : this.#images.length) + (elitist === 'initial' ? 1 : 0);
    this.#present = this.#waiting.splice(0, Math.max(0, popsize - taken));
  }

  /** Puts the guests into a population that has just been drawn. */
  seat(block: RunBlock): void {
    const { dimension: d, x0, elitist } = this.#options;
    const x = block.candidates;
    let k = 0;
    if (elitist === 'initial' && block.get('eliteFun') === Infinity) this.#admit(block, x, k++, Float64Array.from(x0));
    for (const image of this.#images) {
      x.set(image, k * d);
      block.steer(k++);
    }
    for (const point of this.#present) this.#admit(block, x, k++, point);
  }

  /**
   * Bids the guests of a population farewell that is ranked but not learnt from yet, and picks new images.
   *
   * @param informative whether there is a number among the values.
   */
  leave(block: RunBlock, informative: boolean): void {
    const { popsize, mirrors, paired, elitist } = this.#options;
    this.#present = [];
    if (paired || mirrors === 0) return;
    const first = elitist === 'initial' && block.get('eliteFun') === Infinity ? 1 : 0;
    const end = first + this.#images.length;
    const scale = block.part('scale');
    this.#images = [];
    for (let place = popsize - 1; informative && place >= popsize - mirrors; place--) {
      const k = block.order[place] ?? 0;
      if (k >= first && k < end) continue;
      const image = reflection(block.step(k), scale);
      if (image.some((value) => value !== 0)) this.#images.push(image);
    }
  }

  /** The point itself is asked for, also where bending it back and forth would round it. */
  #admit(block: RunBlock, x: Float64Array, k: number, point: Float64Array): void {
    const { dimension: d, lower, upper, penalised } = this.#options;
    const place = penalised
      ? point
      : point.map((value, i) => unbend(value, lower[i] ?? -Infinity, upper[i] ?? Infinity));
    x.set(place, k * d);
    block.admit(k);
    x.set(point, k * d);
  }
}

/** The direction against a step, in the units of the variables. */
function reflection(y: Float64Array, scale: Float64Array): Float64Array {
  const image = new Float64Array(y.length);
  for (let i = 0; i < y.length; i++) image[i] = -(scale[i] ?? NaN) * (y[i] ?? NaN);
  return image;
}

/**
 * Points from outside as rows of free variables.
 *
 * @throws KernelInputError naming what does not fit: `solutions[k]` is not d numbers, or lies outside the bounds.
 */
export function parseSolutions(
  solutions: readonly ArrayLike<number>[],
  { space, box, dimension }: ResolvedOptions,
): Float64Array[] {
  if (!Array.isArray(solutions)) throw new KernelInputError('solutions', 'a list of points', solutions);
  return (solutions as readonly ArrayLike<number>[]).map((point, k) => {
    const length = (point as ArrayLike<number> | undefined)?.length;
    if (length !== space.dimension) throw new KernelInputError(`solutions[${k}]`, `${space.dimension} numbers`, point);
    const row = new Float64Array(dimension);
    space.free.forEach((place, i) => {
      const range = { min: box.lower[place] ?? -Infinity, max: box.upper[place] ?? Infinity };
      row[i] = requireNumber(`solutions[${k}][${place}]`, point[place], range);
    });
    return row;
  });
}
