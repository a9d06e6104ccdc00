import { KernelInputError, requireChoice, requireInteger } from '../runtime/index.ts';

/** Which function of COCO's suite "bbob". */
export interface BbobProblem {
  /** 1 … 24 */
  readonly function: number;
  /** 1 … 1,000; COCO uses 1–5 and 101–110 in its yearly suites, 1–15 in 2009. */
  readonly instance: number;
  /** d, 2 … 200; COCO uses 2, 3, 5, 10, 20, 40. */
  readonly dimension: number;
}

/** A function to be minimised. */
export interface TestFunction {
  readonly name: string;
  readonly dimension: number;
  /** Where it is customarily searched. It has values outside, too. */
  readonly bounds: { readonly lower: number[]; readonly upper: number[] };
  /** Least value. */
  readonly fopt: number;
  /** A point with the least value, up to rounding. */
  readonly xopt: Float64Array;
  /** @throws KernelInputError unless x has d numbers; a NaN among them gives NaN. */
  evaluate(x: ArrayLike<number>): number;
  /** Values of `rows` points, rows×d row-major. */
  evaluateMany(xs: Float64Array, rows: number): Float64Array;
}

/** Numbered as in builtin.as.ts. */
export const BUILTIN_NAMES = [
  'sphere',
  'ellipsoid',
  'rosenbrock',
  'rastrigin',
  'ackley',
  'griewank',
  'levy',
  'branin',
  'hartmann3',
  'hartmann6',
] as const;
export type BuiltinName = (typeof BUILTIN_NAMES)[number];

/** Largest relative difference from COCO's values. */
export const BBOB_TOLERANCE = 1e-9;

export const LIMITS = { functions: 24, instance: 1000, bbobDimension: 200, builtinDimension: 10_000 } as const;

/** Customary bounds and a minimum. Without `dimension` any number of variables will do. */
export interface BuiltinFacts {
  readonly dimension?: number;
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly xopt: readonly number[];
  readonly fopt: number;
}

/** One entry of a list stands for all variables. */
export const BUILTINS: Readonly<Record<BuiltinName, BuiltinFacts>> = {
  sphere: { lower: [-5.12], upper: [5.12], xopt: [0], fopt: 0 },
  ellipsoid: { lower: [-5], upper: [5], xopt: [0], fopt: 0 },
  rosenbrock: { lower: [-5], upper: [10], xopt: [1], fopt: 0 },
  rastrigin: { lower: [-5.12], upper: [5.12], xopt: [0], fopt: 0 },
  ackley: { lower: [-32.768], upper: [32.768], xopt: [0], fopt: 0 },
  griewank: { lower: [-600], upper: [600], xopt: [0], fopt: 0 },
  levy: { lower: [-10], upper: [10], xopt: [1], fopt: 0 },
  branin: { dimension: 2, lower: [-5, 0], upper: [10, 15], xopt: [Math.PI, 2.275], fopt: 0.39788735772973816 },
  hartmann3: {
    dimension: 3,
    lower: [0],
    upper: [1],
    xopt: [0.1145890165, 0.5556488499, 0.8525469535],
    fopt: -3.8627797873327,
  },
  hartmann6: {
    dimension: 6,
    lower: [0],
    upper: [1],
    xopt: [0.2016895133, 0.1500106936, 0.4768739753, 0.2753324286, 0.3116516178, 0.6573005341],
    fopt: -3.3223680114155,
  },
};

/** @throws KernelInputError naming `function`, `instance` or `dimension`. */
export function parseProblem(problem: BbobProblem): BbobProblem {
  return {
    function: requireInteger('function', problem.function, { min: 1, max: LIMITS.functions }),
    instance: requireInteger('instance', problem.instance, { min: 1, max: LIMITS.instance }),
    dimension: requireInteger('dimension', problem.dimension, { min: 2, max: LIMITS.bbobDimension }),
  };
}

/** @throws KernelInputError naming `name` or `dimension`. */
export function parseBuiltin(name: string, dimension: number | undefined): { name: BuiltinName; dimension: number } {
  const known = requireChoice('name', name, BUILTIN_NAMES);
  const own = BUILTINS[known].dimension;
  const d = requireInteger('dimension', dimension ?? own, { min: 1, max: LIMITS.builtinDimension });
  if (own !== undefined && d !== own) throw new KernelInputError('dimension', `${own} for ${known}`, d);
  return { name: known, dimension: d };
}
