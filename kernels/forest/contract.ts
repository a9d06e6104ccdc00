import {
  KernelInputError,
  dataDigest,
  requireChoice,
  requireInteger,
  requireNumber,
  requireRecord,
  requireTable,
} from '../runtime/index.ts';

const CRITERIA = ['squared_error', 'gini'] as const;
/** What a split reduces: the squared error around the mean (regression), or Gini's impurity (classification). */
export type Criterion = (typeof CRITERIA)[number];

/** Numbers to learn from. At least one row; more features than rows are fine. All finite, magnitude up to 1e100. */
export interface ForestData {
  /** N×D, row-major. A constant column is never split on. */
  readonly inputs: Float64Array;
  /** N: numbers, or for classification whole numbers from 0 to classes − 1. */
  readonly targets: Float64Array;
  /** N, at least 1. */
  readonly rows: number;
  /** D, at least 1. */
  readonly dimension: number;
  /** C, at least 1; for classification. A class without rows has the probability 0. */
  readonly classes?: number;
}

/** scikit-learn's options under its names; its defaults are `DEFAULTS`. */
export interface ForestOptions {
  readonly criterion: Criterion;
  /** Trees, at least 1. */
  readonly nEstimators: number;
  /** Splits between the root and a leaf, at least 1; null for no limit. */
  readonly maxDepth: number | null;
  /** Rows that a node must have to be split, at least 2. A row that the bag holds several times counts once. */
  readonly minSamplesSplit: number;
  /** Rows that each side of a split must have, at least 1; counted in the same way. */
  readonly minSamplesLeaf: number;
  /**
   * Features that are looked at for a split: a number of them, a share if below 1 (rounded down, at least one), the square
   * root or the binary logarithm of D (likewise), or null for all. They are drawn anew for each split; constant ones count, but
   * drawing goes on until one of them was not constant.
   */
  readonly maxFeatures: number | 'sqrt' | 'log2' | null;
  /** Whether each tree learns from rows drawn with replacement; else from all of them. */
  readonly bootstrap: boolean;
  /** Rows that are drawn: a number up to N, a share of N if below 1 (rounded, at least one), or null for N. Needs `bootstrap`. */
  readonly maxSamples: number | null;
  /** Of bags and features: 0 to 2⁵³ − 1. Tree i has stream i of it. */
  readonly seed: number;
}

export const DEFAULTS: ForestOptions = {
  criterion: 'squared_error',
  nEstimators: 100,
  maxDepth: null,
  minSamplesSplit: 2,
  minSamplesLeaf: 1,
  maxFeatures: null,
  bootstrap: true,
  maxSamples: null,
  seed: 0,
};

export const LIMITS = {
  /** A node of a model file has 16 bits for its feature; the last one means a leaf. */
  dimension: 65_535,
  classes: 65_535,
  trees: 100_000,
  rows: 0x7fff_ffff,
  /** Rows × (features + 1), and half of rows × classes: what the largest block of memory holds. */
  cells: (1 << 27) - 4,
  /** Of all trees together, and numbers in their leaves. */
  nodes: 1 << 26,
} as const;

/** A number from 1 on is taken as it is; one below 1 as a share. */
function requireCountOrShare(field: string, value: unknown): number {
  const number = requireNumber(field, value, { min: 0, above: true });
  return number < 1 ? number : requireInteger(field, value, { min: 1 });
}

/** Fills in defaults. @throws KernelInputError naming the option. */
export function checkOptions(partial: Partial<ForestOptions>): ForestOptions {
  const options = { ...DEFAULTS, ...requireRecord('options', partial) };
  const { maxDepth, maxFeatures, maxSamples, bootstrap } = options;
  if (typeof bootstrap !== 'boolean') throw new KernelInputError('bootstrap', 'true or false', bootstrap);
  if (maxSamples !== null && !bootstrap) throw new KernelInputError('maxSamples', 'null without bootstrap', maxSamples);
  const named = maxFeatures === null || maxFeatures === 'sqrt' || maxFeatures === 'log2';
  return {
    criterion: requireChoice('criterion', options.criterion, CRITERIA),
    nEstimators: requireInteger('nEstimators', options.nEstimators, { min: 1, max: LIMITS.trees }),
    maxDepth: maxDepth === null ? null : requireInteger('maxDepth', maxDepth, { min: 1 }),
    minSamplesSplit: requireInteger('minSamplesSplit', options.minSamplesSplit, { min: 2 }),
    minSamplesLeaf: requireInteger('minSamplesLeaf', options.minSamplesLeaf, { min: 1 }),
    maxFeatures: named ? maxFeatures : requireCountOrShare('maxFeatures', maxFeatures),
    bootstrap,
    maxSamples: maxSamples === null ? null : requireCountOrShare('maxSamples', maxSamples),
    seed: requireInteger('seed', options.seed, { min: 0 }),
  };
}

/** Features that are looked at for each split. @throws KernelInputError when there are fewer. */
export function featuresPerSplit({ maxFeatures }: ForestOptions, dimension: number): number {
  if (maxFeatures === null) return dimension;
  if (maxFeatures === 'sqrt') return Math.floor(Math.sqrt(dimension));
  if (maxFeatures === 'log2') return Math.max(1, 31 - Math.clz32(dimension));
  if (maxFeatures < 1) return Math.max(1, Math.floor(maxFeatures * dimension));
  return requireInteger('maxFeatures', maxFeatures, { min: 1, max: dimension });
}

/** Rows that are drawn for each tree; 0 takes each row once. @throws KernelInputError when there are fewer. */
export function drawsPerTree({ bootstrap, maxSamples }: ForestOptions, rows: number): number {
  if (!bootstrap) return 0;
  if (maxSamples === null) return rows;
  if (maxSamples < 1) return Math.max(1, Math.round(maxSamples * rows));
  return requireInteger('maxSamples', maxSamples, { min: 1, max: rows });
}

/** @throws KernelInputError naming the field, and the entry if one is not a number or no class. */
export function checkData(data: ForestData, criterion: Criterion): ForestData {
  const { inputs, targets, rows, dimension } = data;
  requireInteger('rows', rows, { min: 1, max: LIMITS.rows });
  requireInteger('dimension', dimension, { min: 1, max: LIMITS.dimension });
  const classes =
    criterion === 'squared_error' ? 0 : requireInteger('classes', data.classes, { min: 1, max: LIMITS.classes });
  const most = Math.floor(LIMITS.cells / Math.max(dimension + 1, classes / 2));
  if (rows > most) throw new KernelInputError('rows', `at most ${most} rows with as many features and classes`, rows);
  requireTable('inputs', inputs, rows, dimension);
  requireTable('targets', targets, rows, 1);
  if (criterion === 'squared_error') return { inputs, targets, rows, dimension };
  targets.forEach((target, row) => requireInteger(`targets[${row}]`, target, { min: 0, max: classes - 1 }));
  return { inputs, targets, rows, dimension, classes };
}

/** sha-256 of the data, so that trees of different tables are not put together. */
export const digestOf = ({ inputs, targets, rows, dimension, classes = 0 }: ForestData): string =>
  dataDigest([rows, dimension, classes], [inputs, targets]);
