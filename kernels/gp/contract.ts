import { KernelInputError, requireChoice, requireInteger, requireNumber, requireTable } from '../runtime/index.ts';

/** Covariance functions, smoothest last: Matérn with ν = 3/2 and 5/2, and the squared exponential. */
export const COVARIANCES = ['matern32', 'matern52', 'rbf'] as const;
export type Covariance = (typeof COVARIANCES)[number];

export const MEANS = ['fitted', 'average'] as const;
const PRIORS = ['none', 'dimension-scaled'] as const;

/**
 * Numbers to learn from. At least one row; more inputs than rows are fine, equal rows too. All finite, magnitude up to 1e100.
 */
export interface TrainingSet {
  /** N×D, row-major. A column without variation says nothing and keeps its first length scale. */
  readonly inputs: Float64Array;
  /**
   * N×K, row-major; each column has a process of its own. A column without variation (one row, for example) tells nothing
   * of scales: its process keeps the first hyper-parameters, in the target's own units.
   */
  readonly targets: Float64Array;
  /** N, 1 to 2000. */
  readonly rows: number;
  /** D, 1 to 1000. */
  readonly dimension: number;
  /** K, 1 to 64. */
  readonly outputs: number;
}

/** Least and greatest value, both above 0; equal ones fix the parameter. */
export type Interval = readonly [least: number, greatest: number];

/**
 * Inputs are scaled to the unit box of the training rows, targets to mean 0 and standard deviation 1; length scales and
 * variances are in these units.
 */
export interface GpOptions {
  /** Default: `matern52`. */
  readonly covariance: Covariance;
  /**
   * The constant mean: `fitted` has the greatest likelihood together with the other parameters, `average` is the targets'
   * mean, as with scikit-learn's `normalize_y`. Default: `fitted`.
   */
  readonly mean: (typeof MEANS)[number];
  /**
   * What is added to the log marginal likelihood. `none`: nothing, the bounds alone keep parameters from running away, as
   * in scikit-learn. `dimension-scaled`: log-normal densities of length scales, LN(√2 + ½·log D, √3), and of the noise
   * variance, LN(−4, 1), as in BoTorch since 0.12 (Hvarfner, Hellsten, Nardi, ICML 2024); worth having with few rows or many
   * inputs. Default: `none`.
   */
  readonly prior: (typeof PRIORS)[number];
  /** Of every ℓ_d. Default: 1e-5 to 1e5, scikit-learn's. */
  readonly lengthScaleBounds: Interval;
  /** Of σ_f². Default: 1e-5 to 1e5, scikit-learn's. */
  readonly signalVarianceBounds: Interval;
  /** Of σ_n². Default: 1e-6 to 1e5; scikit-learn's begin at 1e-5, too much for objectives without noise. */
  readonly noiseVarianceBounds: Interval;
  /** Points from which the likelihood is climbed, 1 to 100; the first is in the middle, others are drawn. Default: 3. */
  readonly starts: number;
  /** Most iterations of one climb, 1 to 10,000. Default: 100. */
  readonly maxIterations: number;
  /** Of the drawn starts: 0 to 2⁵³ − 1. Default: 0. */
  readonly seed: number;
}

export const GP_DEFAULTS: GpOptions = {
  covariance: 'matern52',
  mean: 'fitted',
  prior: 'none',
  lengthScaleBounds: [1e-5, 1e5],
  signalVarianceBounds: [1e-5, 1e5],
  noiseVarianceBounds: [1e-6, 1e5],
  starts: 3,
  maxIterations: 100,
  seed: 0,
};

/** Of one process, in scaled units. */
export interface Hyperparameters {
  /** σ_f² */
  readonly signalVariance: number;
  /** σ_n² */
  readonly noiseVariance: number;
  /** ℓ_1 … ℓ_D */
  readonly lengthScales: readonly number[];
}

export interface GpReport {
  /** Which target, from 0. */
  readonly output: number;
  /** Which climb, from 0. */
  readonly start: number;
  /** Iterations of this climb so far. */
  readonly iteration: number;
  /** log p(y|X) on scaled targets, without the prior. */
  readonly logMarginalLikelihood: number;
}

export const LIMITS = {
  /** An iteration takes N³, memory 40·N² bytes. */
  rows: 2000,
  dimension: 1000,
  outputs: 64,
  /** Points of one joint sample. */
  samplePoints: 2000,
  samples: 10_000,
} as const;

/** How far the fast version may be from the reference and from other implementations. */
export const TOLERANCE = {
  /** Log marginal likelihood and its gradient at given parameters, relative to the largest component. */
  likelihood: 1e-9,
  /** Means and standard deviations, relative to the targets' standard deviation. */
  prediction: 1e-8,
} as const;

function checkInterval(field: string, value: readonly number[]): Interval {
  if (!Array.isArray(value) || value.length !== 2) throw new KernelInputError(field, 'two numbers', value);
  const least = requireNumber(`${field}[0]`, value[0], { min: 1e-12 });
  return [least, requireNumber(`${field}[1]`, value[1], { min: least, max: 1e12 })];
}

/** Fills in defaults. @throws KernelInputError naming the option. */
export function checkOptions(given: Partial<GpOptions>): GpOptions {
  const options = { ...GP_DEFAULTS, ...given };
  return {
    covariance: requireChoice('covariance', options.covariance, COVARIANCES),
    mean: requireChoice('mean', options.mean, MEANS),
    prior: requireChoice('prior', options.prior, PRIORS),
    lengthScaleBounds: checkInterval('lengthScaleBounds', options.lengthScaleBounds),
    signalVarianceBounds: checkInterval('signalVarianceBounds', options.signalVarianceBounds),
    noiseVarianceBounds: checkInterval('noiseVarianceBounds', options.noiseVarianceBounds),
    starts: requireInteger('starts', options.starts, { min: 1, max: 100 }),
    maxIterations: requireInteger('maxIterations', options.maxIterations, { min: 1, max: 10_000 }),
    seed: requireInteger('seed', options.seed, { min: 0 }),
  };
}

/** @throws KernelInputError naming the field, and the entry if one is not a number. */
export function checkTrainingSet(data: TrainingSet): TrainingSet {
  requireInteger('rows', data.rows, { min: 1, max: LIMITS.rows });
  requireInteger('dimension', data.dimension, { min: 1, max: LIMITS.dimension });
  requireInteger('outputs', data.outputs, { min: 1, max: LIMITS.outputs });
  requireTable('inputs', data.inputs, data.rows, data.dimension);
  requireTable('targets', data.targets, data.rows, data.outputs);
  return data;
}
