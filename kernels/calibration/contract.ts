import { KernelInputError, requireFiniteArray, requireInteger, requireNumber } from '../runtime/index.ts';

/** What a model said of N numbers, and what they were. Of any model: an ensemble, a forest, a Gaussian process. */
export interface GaussianPredictions {
  readonly mean: ArrayLike<number>;
  /** Standard deviations, above 0. */
  readonly std: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** What a classifier said of N rows, and what they were. */
export interface ClassPredictions {
  /** N×C, row-major, from 0 to 1; each row sums to 1. */
  readonly probabilities: ArrayLike<number>;
  /** N indices of classes, 0 … C − 1. */
  readonly labels: ArrayLike<number>;
  /** C, at least 2. */
  readonly classes: number;
}

/** How far a row of probabilities may be from summing to 1. */
const SUM_TOLERANCE = 1e-6;

/** @throws KernelInputError naming the field, and the entry that does not fit; without rows, `y`. */
export function checkGaussian(predictions: GaussianPredictions): GaussianPredictions {
  const { mean, std, y } = predictions;
  if (y.length === 0) throw new KernelInputError('y', 'at least one number', y);
  requireFiniteArray('y', y, y.length);
  requireFiniteArray('mean', mean, y.length);
  requireFiniteArray('std', std, y.length);
  for (let i = 0; i < std.length; i++) requireNumber(`std[${i}]`, std[i], { min: 0, above: true });
  return predictions;
}

/** @throws KernelInputError naming the field, and the entry that does not fit; without rows, `labels`. */
export function checkClasses(predictions: ClassPredictions): ClassPredictions {
  const { probabilities, labels, classes } = predictions;
  requireInteger('classes', classes, { min: 2 });
  if (labels.length === 0) throw new KernelInputError('labels', 'at least one class', labels);
  requireFiniteArray('probabilities', probabilities, labels.length * classes);
  for (let row = 0; row < labels.length; row++) {
    requireInteger(`labels[${row}]`, labels[row], { min: 0, max: classes - 1 });
    let sum = 0;
    for (let i = row * classes; i < (row + 1) * classes; i++) {
      sum += requireNumber(`probabilities[${i}]`, probabilities[i], { min: 0, max: 1 });
    }
    if (Math.abs(sum - 1) > SUM_TOLERANCE) {
      throw new KernelInputError(`probabilities[${row * classes}]`, 'a row that sums to 1', sum);
    }
  }
  return predictions;
}

/** A share of intervals that shall hold the truth. @throws KernelInputError unless it is between 0 and 1. */
export function checkCoverage(coverage: number): number {
  const share = requireNumber('coverage', coverage, { min: 0, above: true, max: 1 });
  if (share === 1) throw new KernelInputError('coverage', 'a number below 1', 1);
  return share;
}
