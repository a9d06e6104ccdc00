import { naturalLog } from '../rng/index.ts';
import { KernelInputError, requireFiniteArray } from '../runtime/index.ts';

/** Probabilities are held within [ε, 1 − ε], so that a certain error costs much but not everything. ε of 64-bit floats. */
const SMALLEST_PROBABILITY = 2.220446049250313e-16;

function check(targets: Float64Array, predictions: Float64Array): void {
  if (targets.length === 0) throw new KernelInputError('targets', 'at least one row', targets);
  requireFiniteArray('predictions', predictions, targets.length);
}

function squaredError(targets: Float64Array, predictions: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < targets.length; row++) {
    const error = (targets[row] ?? 0) - (predictions[row] ?? 0);
    sum += error * error;
  }
  return sum;
}

/**
 * 1 − Σ(y − ŷ)² / Σ(y − ȳ)². Of constant targets it is 1 when they are met, else 0.
 *
 * @throws KernelInputError with fewer than two rows: they have no variance.
 */
export function r2(targets: Float64Array, predictions: Float64Array): number {
  check(targets, predictions);
  if (targets.length < 2) throw new KernelInputError('targets', 'at least two rows for R²', targets);
  const mean = targets.reduce((sum, target) => sum + target, 0) / targets.length;
  const error = squaredError(targets, predictions);
  const variation = squaredError(targets, new Float64Array(targets.length).fill(mean));
  if (targets.every((target) => target === targets[0]) || variation === 0) return error === 0 ? 1 : 0;
  return 1 - error / variation;
}

/** Root mean square error. */
export function rmse(targets: Float64Array, predictions: Float64Array): number {
  check(targets, predictions);
  return Math.sqrt(squaredError(targets, predictions) / targets.length);
}

/** Share of the rows whose class was said. */
export function accuracy(targets: Float64Array, labels: ArrayLike<number>): number {
  check(targets, Float64Array.from(labels));
  let hits = 0;
  for (let row = 0; row < targets.length; row++) if (targets[row] === labels[row]) hits++;
  return hits / targets.length;
}

/**
 * Mean of −ln p over the rows, for the probability p that was given to the class of the row.
 *
 * @param shares rows × classes
 */
export function logLoss(targets: Float64Array, shares: Float64Array, classes: number): number {
  if (targets.length === 0) throw new KernelInputError('targets', 'at least one row', targets);
  requireFiniteArray('shares', shares, targets.length * classes);
  let sum = 0;
  targets.forEach((target, row) => {
    const share = shares[row * classes + target] ?? 0;
    sum -= naturalLog(Math.min(Math.max(share, SMALLEST_PROBABILITY), 1 - SMALLEST_PROBABILITY));
  });
  return sum / targets.length;
}

/** The class with the largest share of each row, the lowest of equals. */
export function likeliest(shares: Float64Array, rows: number, classes: number): Uint32Array {
  const best = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) {
      const share = shares[row * classes + c] ?? 0;
      if (share <= largest) continue;
      largest = share;
      best[row] = c;
    }
  }
  return best;
}
