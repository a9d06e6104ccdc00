import { KernelInputError, requireFiniteArray, requireInteger, requireNumber } from '../runtime/index.ts';
import { LIMITS } from './contract.ts';
import type { Bounds, CmaOptions } from './contract.ts';
import { defaultPopsize } from './parameters.ts';

/** Options with every default filled in. Open sides of bounds are infinite. */
export interface ResolvedOptions {
  readonly dimension: number;
  readonly x0: readonly number[];
  readonly sigma0: number;
  readonly seed: number;
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly bounded: boolean;
  readonly popsize: number;
  readonly active: boolean;
  /** Iterations with a diagonal C. */
  readonly diagonalIterations: number;
  readonly stds: readonly number[];
  readonly dampfac: number;
  readonly minstd: readonly number[];
  readonly maxstd: readonly number[];
  readonly updatecovwait: number | undefined;
  readonly ftarget: number;
  readonly maxfevals: number;
  readonly maxiter: number;
  readonly tolfun: number;
  readonly tolfunhist: number;
  readonly tolfunrel: number;
  readonly tolx: number;
  readonly tolfacupx: number;
  readonly tolupsigma: number;
  readonly tolconditioncov: number;
  readonly tolflatfitness: number;
  readonly tolstagnation: number;
  readonly tolxstagnation: readonly [number, number, number] | undefined;
}

/** Names of all options: what `parseOptions` accepts. */
export const CMA_OPTION_NAMES = [
  'dimension',
  'x0',
  'sigma0',
  'seed',
  'bounds',
  'popsize',
  'CMA_active',
  'CMA_diagonal',
  'CMA_stds',
  'CSA_dampfac',
  'minstd',
  'maxstd',
  'maxstd_boundrange',
  'updatecovwait',
  'ftarget',
  'maxfevals',
  'maxiter',
  'tolfun',
  'tolfunhist',
  'tolfunrel',
  'tolx',
  'tolfacupx',
  'tolupsigma',
  'tolconditioncov',
  'tolflatfitness',
  'tolstagnation',
  'tolxstagnation',
] as const satisfies readonly (keyof CmaOptions)[];

function checkNames(options: object): void {
  for (const name of Object.keys(options)) {
    if (!CMA_OPTION_NAMES.some((known) => known === name)) {
      throw new KernelInputError(name, `one of the options ${CMA_OPTION_NAMES.join(', ')}`, name);
    }
  }
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** d numbers from one for all or from a list of d; `undefined` gives `otherwise(i)`. */
function spread(field: string, value: unknown, d: number, min: number, otherwise: (i: number) => number): number[] {
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

function parseBounds(bounds: Bounds | undefined, x0: readonly number[]) {
  const { lower, upper } = parseSides('bounds', bounds, x0.length);
  x0.forEach((x, i) => {
    const low = lower[i] ?? -Infinity;
    const high = upper[i] ?? Infinity;
    if (low >= high) throw new KernelInputError(`bounds.lower[${i}]`, `a bound below the upper one, ${high}`, low);
    if (x < low || x > high) throw new KernelInputError(`x0[${i}]`, `a number within the bounds ${low} … ${high}`, x);
  });
  return { lower, upper, bounded: [...lower, ...upper].some(Number.isFinite) };
}

function parseDiagonal(value: unknown): number {
  if (value === undefined || value === false) return 0;
  return value === true ? Infinity : requireInteger('CMA_diagonal', value, { min: 0 });
}

function parseFlag(field: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value === 'boolean') return value;
  throw new KernelInputError(field, 'true or false', value);
}

function parseStagnation(value: unknown): readonly [number, number, number] | undefined {
  if (value === false) return undefined;
  const [delta, offset, fraction] = requireFiniteArray(
    'tolxstagnation',
    value === undefined ? [1e-9, 20, 0.1] : isList(value) ? (value as readonly number[]) : [],
    3,
  );
  return [delta ?? 0, offset ?? 0, fraction ?? 0];
}

/** Checks that a population fits into memory. */
export function checkPopsize(popsize: number, dimension: number): number {
  requireInteger('popsize', popsize, { min: 2, max: LIMITS.popsize });
  if (popsize * dimension > LIMITS.populationNumbers) {
    throw new KernelInputError('popsize', `at most ${LIMITS.populationNumbers} numbers in a population`, popsize);
  }
  return popsize;
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws KernelInputError naming the option: unknown, of the wrong kind, length or range, bounds without room, or x0
 *   outside of them.
 */
export function parseOptions(options: CmaOptions): ResolvedOptions {
  checkNames(options);
  const diagonalIterations = parseDiagonal(options.CMA_diagonal);
  const max = diagonalIterations === Infinity ? LIMITS.diagonalDimension : LIMITS.dimension;
  const d = requireInteger('dimension', options.dimension, { min: 1, max });
  if (!isList(options.x0)) throw new KernelInputError('x0', `${d} numbers`, options.x0);
  const x0 = [...requireFiniteArray('x0', options.x0, d)];
  const bounds = parseBounds(options.bounds, x0);
  // As in pycma, defaults that depend on λ take it before it is rounded.
  const lambda = options.popsize ?? defaultPopsize(d);
  const popsize = checkPopsize(options.popsize ?? Math.floor(lambda), d);
  const number = (field: keyof CmaOptions, otherwise: number, min = 0): number =>
    options[field] === undefined ? otherwise : requireNumber(field, options[field], { min });
  const integer = (field: keyof CmaOptions, otherwise: number, min: number): number =>
    options[field] === undefined ? otherwise : requireInteger(field, options[field], { min });
  const range = number('maxstd_boundrange', 1 / 3);
  const minstd = spread('minstd', options.minstd, d, 0, () => 0);
  const maxstd = spread('maxstd', options.maxstd, d, 0, (i) => {
    return range * ((bounds.upper[i] ?? Infinity) - (bounds.lower[i] ?? -Infinity));
  });
  maxstd.forEach((most, i) => {
    if (most <= 0) throw new KernelInputError('maxstd', 'numbers > 0', most);
    if (most < (minstd[i] ?? 0)) throw new KernelInputError('minstd', 'numbers up to maxstd', minstd[i]);
  });
  const stds = spread('CMA_stds', options.CMA_stds, d, 0, () => 1);
  const still = stds.indexOf(0);
  if (still >= 0) throw new KernelInputError(`CMA_stds[${still}]`, 'a number > 0', 0);
  return {
    dimension: d,
    x0,
    sigma0: requireNumber('sigma0', options.sigma0, { min: 0, above: true }),
    seed: requireInteger('seed', options.seed, { min: 0 }),
    ...bounds,
    popsize,
    active: parseFlag('CMA_active', options.CMA_active, true),
    diagonalIterations,
    stds,
    dampfac: requireNumber('CSA_dampfac', options.CSA_dampfac ?? 1, { min: 0, above: true }),
    minstd,
    maxstd,
    updatecovwait: options.updatecovwait === undefined ? undefined : integer('updatecovwait', 0, 0),
    ftarget: options.ftarget === undefined ? -Infinity : requireNumber('ftarget', options.ftarget),
    maxfevals: integer('maxfevals', Infinity, 1),
    maxiter: integer('maxiter', 100 + Math.floor((150 * (d + 3) * (d + 3)) / Math.sqrt(lambda)), 1),
    tolfun: number('tolfun', 1e-11),
    tolfunhist: number('tolfunhist', 1e-12),
    tolfunrel: number('tolfunrel', 0),
    tolx: number('tolx', 1e-11),
    tolfacupx: number('tolfacupx', 1e3),
    tolupsigma: number('tolupsigma', 1e20),
    tolconditioncov: number('tolconditioncov', 1e14),
    tolflatfitness: number('tolflatfitness', 1),
    tolstagnation: number('tolstagnation', Math.floor(100 + (100 * d * Math.sqrt(d)) / lambda)),
    tolxstagnation: parseStagnation(options.tolxstagnation),
  };
}
