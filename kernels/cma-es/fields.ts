import { KernelInputError, requireFiniteArray, requireInteger, requireNumber } from '../runtime/index.ts';
import type { Bounds } from './contract.ts';

export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** d numbers from one for all or from a list of d; `undefined` gives `otherwise(i)`. */
export function spread(
  field: string,
  value: unknown,
  d: number,
  min: number,
  otherwise: (i: number) => number,
): number[] {
  return Array.from({ length: d }, (_, i) => {
    if (value === undefined) return otherwise(i);
    if (!isList(value)) return requireNumber(field, value, { min });
    if (value.length !== d) throw new KernelInputError(field, `one number or ${d}`, value);
    return requireNumber(`${field}[${i}]`, value[i], { min });
  });
}

function side(field: string, value: unknown, d: number, open: number): number[] {
  const one = (name: string, bound: unknown): number =>
    bound === null || bound === undefined || bound === open ? open : requireNumber(name, bound);
  if (!isList(value)) return Array.from({ length: d }, () => one(field, value));
  if (value.length !== d) throw new KernelInputError(field, `one bound or ${d}`, value);
  return value.map((bound, i) => one(`${field}[${i}]`, bound));
}

/** Both sides of a box by coordinate; an open side is infinite. */
export function parseSides(field: string, bounds: Bounds | undefined, d: number) {
  return {
    lower: side(`${field}.lower`, bounds?.lower, d, -Infinity),
    upper: side(`${field}.upper`, bounds?.upper, d, Infinity),
  };
}

export function parseBounds(bounds: Bounds | undefined, d: number) {
  const { lower, upper } = parseSides('bounds', bounds, d);
  lower.forEach((low, i) => {
    const high = upper[i] ?? Infinity;
    if (low >= high) throw new KernelInputError(`bounds.lower[${i}]`, `a bound below the upper one, ${high}`, low);
  });
  return { lower, upper };
}

export function parseFlag(field: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value === 'boolean') return value;
  throw new KernelInputError(field, 'true or false', value);
}

/** Iterations with a diagonal C. */
export function parseDiagonal(value: unknown): number {
  if (value === undefined || value === false) return 0;
  return value === true ? Infinity : requireInteger('CMA_diagonal', value, { min: 0 });
}

export function parseStagnation(value: unknown): readonly [number, number, number] | undefined {
  if (value === false) return undefined;
  const [delta, offset, fraction] = requireFiniteArray(
    'tolxstagnation',
    value === undefined ? [1e-9, 20, 0.1] : isList(value) ? (value as readonly number[]) : [],
    3,
  );
  return [delta ?? 0, offset ?? 0, fraction ?? 0];
}

/** A symmetric matrix with a positive diagonal. Whether it is positive definite shows when it is decomposed. */
export function parseCovariance(value: unknown, d: number): number[][] | undefined {
  if (value === undefined) return undefined;
  if (!isList(value) || value.length !== d) throw new KernelInputError('cov', `${d} rows`, value);
  const rows = value.map((row, i) => {
    if (!isList(row)) throw new KernelInputError(`cov[${i}]`, `${d} numbers`, row);
    return [...requireFiniteArray(`cov[${i}]`, row as readonly number[], d)];
  });
  rows.forEach((row, i) => {
    requireNumber(`cov[${i}][${i}]`, row[i], { min: 0, above: true });
    row.forEach((entry, j) => {
      const other = rows[j]?.[i] ?? NaN;
      if (Math.abs(entry - other) > 1e-9 * Math.max(Math.abs(entry), Math.abs(other))) {
        throw new KernelInputError(`cov[${i}][${j}]`, `the number of cov[${j}][${i}], ${other}`, entry);
      }
    });
  });
  return rows;
}

export function parseElitism(value: unknown): 'none' | 'best' | 'initial' {
  if (value === undefined || value === false) return 'none';
  if (value === true) return 'best';
  if (value === 'initial') return 'initial';
  throw new KernelInputError('CMA_elitist', "true, false or 'initial'", value);
}

/** Mirrored candidates of a generation, and whether they are pairs (method 0) or images of the last one's worst. */
export function parseMirrors(
  mirrors: unknown,
  method: unknown,
  { popsize, d, adaptive }: { readonly popsize: number; readonly d: number; readonly adaptive: boolean },
): { readonly mirrors: number; readonly paired: boolean } {
  if (method !== undefined && method !== 0 && method !== 2) {
    throw new KernelInputError('CMA_mirrormethod', '0 or 2', method);
  }
  const paired = method === 0;
  if (mirrors === undefined || typeof mirrors === 'boolean') {
    const wanted = mirrors ?? (popsize > 2 && !adaptive);
    return { mirrors: wanted ? Math.floor(0.79 + 0.16 * Math.min(popsize, 2 * d + 2)) : 0, paired };
  }
  const number = requireNumber('CMA_mirrors', mirrors, { min: 0 });
  const count = Math.floor(0.5 + (number < 0.5 ? number * popsize : number));
  if (2 * count > popsize) throw new KernelInputError('CMA_mirrors', `at most half of ${popsize}`, mirrors);
  return { mirrors: count, paired };
}
