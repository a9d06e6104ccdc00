import {
  KernelInputError,
  requireChoice,
  requireFiniteArray,
  requireInteger,
  requireNumber,
} from '../runtime/index.ts';
import { LIMITS } from './contract.ts';
import type { CmaOptions } from './contract.ts';
import {
  isList,
  parseBounds,
  parseCovariance,
  parseDiagonal,
  parseElitism,
  parseFlag,
  parseMirrors,
  parseStagnation,
  spread,
} from './fields.ts';
import { defaultPopsize } from './parameters.ts';
import { parseFixed, parseIntegers, wholeNumbers } from './space.ts';
import type { Space, WholeNumber } from './space.ts';

/**
 * Options with every default filled in, for the free variables alone: lists have their length, d. Open sides of bounds are
 * infinite.
 */
export interface ResolvedOptions {
  readonly space: Space;
  /** Bounds of all variables. */
  readonly box: { readonly lower: readonly number[]; readonly upper: readonly number[] };
  /** d */
  readonly dimension: number;
  readonly x0: readonly number[];
  readonly sigma0: number;
  readonly seed: number;
  /** Bounds of what is drawn; open for whole numbers, whose ends stand with them. */
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly bounded: boolean;
  /** Bounds by penalty. */
  readonly penalised: boolean;
  readonly integers: readonly WholeNumber[];
  readonly popsize: number;
  readonly active: boolean;
  /** Iterations with a diagonal C. */
  readonly diagonalIterations: number;
  readonly stds: readonly number[];
  /** First C. */
  readonly cov: readonly (readonly number[])[] | undefined;
  /** Mirrored candidates of a generation; in pairs, or of the worst of the last generation. */
  readonly mirrors: number;
  readonly paired: boolean;
  readonly elitist: 'none' | 'best' | 'initial';
  readonly adaptive: boolean;
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
  'BoundaryHandler',
  'fixed_variables',
  'integer_variables',
  'popsize',
  'CMA_active',
  'CMA_diagonal',
  'CMA_stds',
  'cov',
  'CMA_mirrors',
  'CMA_mirrormethod',
  'CMA_elitist',
  'lr_adapt',
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

/** Checks that a population fits into memory. */
function checkPopsize(popsize: number, dimension: number): number {
  requireInteger('popsize', popsize, { min: 2, max: LIMITS.popsize });
  if (popsize * dimension > LIMITS.populationNumbers) {
    throw new KernelInputError('popsize', `at most ${LIMITS.populationNumbers} numbers in a population`, popsize);
  }
  return popsize;
}

/** Where the search takes place: variables, bounds and the start. */
function parsePlace(options: CmaOptions, diagonalIterations: number) {
  const max = diagonalIterations === Infinity ? LIMITS.diagonalDimension : LIMITS.dimension;
  const whole = requireInteger('dimension', options.dimension, { min: 1, max });
  if (!isList(options.x0)) throw new KernelInputError('x0', `${whole} numbers`, options.x0);
  const x0 = requireFiniteArray('x0', options.x0, whole);
  const box = parseBounds(options.bounds, whole);
  const space = parseFixed(options.fixed_variables, box);
  space.free.forEach((i) => {
    requireNumber(`x0[${i}]`, x0[i], { min: box.lower[i] ?? -Infinity, max: box.upper[i] ?? Infinity });
  });
  const [lower, upper] = [space.restrict(box.lower), space.restrict(box.upper)];
  const integers = wholeNumbers(parseIntegers(options.integer_variables, space), lower, upper, space);
  for (const { index } of integers) {
    lower[index] = -Infinity;
    upper[index] = Infinity;
  }
  return { space, box, integers, x0: space.restrict(x0), lower, upper };
}

/** Standard deviations by coordinate: the first ones and their limits. */
function parseSpread(options: CmaOptions, { box, space }: ReturnType<typeof parsePlace>) {
  const d = space.dimension;
  const range =
    options.maxstd_boundrange === undefined
      ? 1 / 3
      : requireNumber('maxstd_boundrange', options.maxstd_boundrange, { min: 0 });
  const minstd = space.restrict(spread('minstd', options.minstd, d, 0, () => 0));
  const maxstd = space.restrict(
    spread('maxstd', options.maxstd, d, 0, (i) => {
      return range * ((box.upper[i] ?? Infinity) - (box.lower[i] ?? -Infinity));
    }),
  );
  maxstd.forEach((most, i) => {
    if (most <= 0) throw new KernelInputError('maxstd', 'numbers > 0', most);
    if (most < (minstd[i] ?? 0)) throw new KernelInputError('minstd', 'numbers up to maxstd', minstd[i]);
  });
  const stds = spread('CMA_stds', options.CMA_stds, d, 0, () => 1);
  const still = stds.indexOf(0);
  if (still >= 0) throw new KernelInputError(`CMA_stds[${still}]`, 'a number > 0', 0);
  const cov = parseCovariance(options.cov, d);
  return {
    minstd,
    maxstd,
    stds: space.restrict(stds),
    cov: cov && space.restrict(cov).map((row) => space.restrict(row)),
  };
}

/** What cannot be had together. */
function checkCombinations(resolved: ResolvedOptions): void {
  const { diagonalIterations, adaptive, cov, elitist, mirrors, paired, popsize } = resolved;
  if (adaptive && diagonalIterations > 0) {
    throw new KernelInputError('lr_adapt', 'false with CMA_diagonal: rates are known for a full C only', true);
  }
  if (adaptive && elitist === 'best') {
    throw new KernelInputError('CMA_elitist', 'false with lr_adapt: the best of noisy values is a lucky one', true);
  }
  if (cov !== undefined && diagonalIterations > 0) {
    throw new KernelInputError('cov', 'CMA_stds instead of it with CMA_diagonal', 'cov');
  }
  if (elitist === 'initial' && paired && 2 * mirrors >= popsize) {
    throw new KernelInputError('CMA_mirrors', "a candidate without an image with CMA_elitist 'initial'", mirrors);
  }
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws KernelInputError naming the option: unknown, of the wrong kind, length or range, bounds without room, x0
 *   outside of them, or two options that do not go together.
 */
export function parseOptions(options: CmaOptions): ResolvedOptions {
  checkNames(options);
  const diagonalIterations = parseDiagonal(options.CMA_diagonal);
  const place = parsePlace(options, diagonalIterations);
  const d = place.space.free.length;
  // As in pycma, defaults that depend on λ take it before it is rounded.
  const lambda = options.popsize ?? defaultPopsize(d);
  const popsize = checkPopsize(options.popsize ?? Math.floor(lambda), d);
  const adaptive = parseFlag('lr_adapt', options.lr_adapt, false);
  const number = (field: keyof CmaOptions, otherwise: number, min = 0): number =>
    options[field] === undefined ? otherwise : requireNumber(field, options[field], { min });
  const integer = (field: keyof CmaOptions, otherwise: number, min: number): number =>
    options[field] === undefined ? otherwise : requireInteger(field, options[field], { min });
  const patience = place.integers.length > 0 ? 10 + Math.ceil((30 * d) / popsize) : 1;
  const handler = requireChoice('BoundaryHandler', options.BoundaryHandler ?? 'BoundTransform', [
    'BoundTransform',
    'BoundPenalty',
  ]);
  const resolved: ResolvedOptions = {
    ...place,
    dimension: d,
    sigma0: requireNumber('sigma0', options.sigma0, { min: 0, above: true }),
    seed: requireInteger('seed', options.seed, { min: 0 }),
    bounded: [...place.lower, ...place.upper].some(Number.isFinite),
    penalised: handler === 'BoundPenalty',
    popsize,
    active: parseFlag('CMA_active', options.CMA_active, true),
    diagonalIterations,
    ...parseSpread(options, place),
    ...parseMirrors(options.CMA_mirrors, options.CMA_mirrormethod, { popsize, d, adaptive }),
    elitist: parseElitism(options.CMA_elitist),
    adaptive,
    dampfac: requireNumber('CSA_dampfac', options.CSA_dampfac ?? 1, { min: 0, above: true }),
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
    tolflatfitness: number('tolflatfitness', patience),
    tolstagnation: number('tolstagnation', Math.floor(100 + (100 * d * Math.sqrt(d)) / lambda)),
    tolxstagnation: parseStagnation(options.tolxstagnation),
  };
  checkCombinations(resolved);
  return resolved;
}
