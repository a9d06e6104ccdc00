import { z } from 'zod';

/** Options of random forests under scikit-learn’s names, of `train_surrogate` and of campaigns. */
export const forestShape = {
  /** Trees. */
  n_estimators: z.int().min(1).max(1000),
  /** Splits between the root and a leaf; null for no limit. */
  max_depth: z.int().min(1).max(1_000_000).nullable(),
  /** Rows that a node must have to be split. */
  min_samples_split: z.int().min(2).max(1_000_000),
  /** Rows that each side of a split must have. */
  min_samples_leaf: z.int().min(1).max(1_000_000),
  /** Features that are looked at for a split: a number of them, a share below 1, `sqrt`, `log2`, or null for all. */
  max_features: z.union([z.int().min(1), z.number().gt(0).lt(1), z.enum(['sqrt', 'log2'])]).nullable(),
};

/** Options of Gaussian processes. */
export const gpShape = {
  /** Each with a length scale for each input. */
  covariance: z.enum(['matern32', 'matern52', 'rbf']),
  /** Of length scales and noise: `none`, or BoTorch’s, worth having with few rows or many inputs. */
  prior: z.enum(['none', 'dimension-scaled']),
  /** Further points from which the likelihood is climbed. */
  n_restarts_optimizer: z.int().min(0).max(99),
};
