import { KernelInputError, requireInteger, requireNumber } from '../runtime/index.ts';

/** All variables, and the free ones among them, which are what the search sees. */
export class Space {
  /** All variables. */
  readonly dimension: number;
  /** Indices of the free ones, ascending. */
  readonly free: readonly number[];
  readonly #template: Float64Array;
  readonly #fixed: ReadonlyMap<number, number>;

  constructor(dimension: number, fixed: ReadonlyMap<number, number>) {
    this.dimension = dimension;
    this.#fixed = fixed;
    this.free = Array.from({ length: dimension }, (_, i) => i).filter((i) => !fixed.has(i));
    this.#template = Float64Array.from({ length: dimension }, (_, i) => fixed.get(i) ?? 0);
  }

  get whole(): boolean {
    return this.free.length === this.dimension;
  }

  /** The entries that belong to free variables. */
  restrict<T>(list: readonly T[]): T[] {
    return list.filter((_, i) => !this.#fixed.has(i));
  }

  /** The value of a variable that is fixed. */
  fixed(index: number): number | undefined {
    return this.#fixed.get(index);
  }

  /**
   * Rows of free variables with the fixed ones put in, in `out` if there is one, else in a new array; `rest` stands for the
   * fixed ones instead of their values where given.
   */
  expand(rows: Float64Array, rest?: number, out?: Float64Array): Float64Array {
    const count = rows.length / this.free.length;
    const expanded = out ?? new Float64Array(count * this.dimension);
    if (this.whole) {
      expanded.set(rows);
      return expanded;
    }
    for (let k = 0; k < count; k++) {
      const row = expanded.subarray(k * this.dimension, (k + 1) * this.dimension);
      if (rest === undefined) row.set(this.#template);
      else row.fill(rest);
      this.free.forEach((place, i) => {
        row[place] = rows[k * this.free.length + i] ?? NaN;
      });
    }
    return expanded;
  }
}

/** @throws KernelInputError for an index without a variable, a value outside the bounds, or when nothing stays free. */
export function parseFixed(
  fixed: unknown,
  { lower, upper }: { readonly lower: readonly number[]; readonly upper: readonly number[] },
): Space {
  const dimension = lower.length;
  if (fixed === undefined || fixed === null) return new Space(dimension, new Map());
  if (typeof fixed !== 'object' || Array.isArray(fixed)) {
    throw new KernelInputError('fixed_variables', 'values by index', fixed);
  }
  const values = new Map<number, number>();
  for (const [name, value] of Object.entries(fixed)) {
    const field = `fixed_variables[${name}]`;
    const index = requireInteger(field, Number(name.trim() || NaN), { min: 0, max: dimension - 1 });
    values.set(index, requireNumber(field, value, { min: lower[index] ?? -Infinity, max: upper[index] ?? Infinity }));
  }
  if (values.size === dimension) throw new KernelInputError('fixed_variables', 'at least one free variable', fixed);
  return new Space(dimension, values);
}

/** Indices of the free variables that take whole numbers, counted among the free ones. */
export function parseIntegers(integers: unknown, space: Space): number[] {
  if (integers === undefined) return [];
  if (!Array.isArray(integers)) throw new KernelInputError('integer_variables', 'a list of indices', integers);
  const chosen = new Set<number>();
  (integers as readonly unknown[]).forEach((index, k) => {
    const field = `integer_variables[${k}]`;
    const place = requireInteger(field, index, { min: 0, max: space.dimension - 1 });
    if (chosen.has(place)) throw new KernelInputError(field, 'an index once', place);
    chosen.add(place);
  });
  return space.free.flatMap((place, i) => (chosen.has(place) ? [i] : []));
}

/** A variable that takes whole numbers: its index among the free ones, and the ends of its range. */
export interface WholeNumber {
  readonly index: number;
  readonly low: number;
  readonly high: number;
}

/**
 * @param lower bounds of the free variables.
 * @throws KernelInputError where fewer than two whole numbers lie within the bounds.
 */
export function wholeNumbers(
  indices: readonly number[],
  lower: readonly number[],
  upper: readonly number[],
  space: Space,
): WholeNumber[] {
  return indices.map((index) => {
    const low = Math.ceil(lower[index] ?? -Infinity);
    const high = Math.floor(upper[index] ?? Infinity);
    if (low < high) return { index, low, high };
    throw new KernelInputError('integer_variables', 'two whole numbers within the bounds at least', space.free[index]);
  });
}
