import { checkCoverage, checkGaussian } from './contract.ts';
import type { GaussianPredictions } from './contract.ts';

/** |y − mean|/std, ascending. */
function sortedScores({ mean, std, y }: GaussianPredictions): Float64Array {
  return Float64Array.from(
    { length: y.length },
    (_, i) => Math.abs((y[i] ?? 0) - (mean[i] ?? 0)) / (std[i] ?? 1),
  ).sort();
}

/** The k-th smallest, k = ⌈(n + 1)·coverage⌉; infinite when there are fewer. */
function quantile(sorted: Float64Array, coverage: number): number {
  // The product is rounded; a hair above a whole number still means that number.
  const k = Math.ceil((sorted.length + 1) * coverage - 1e-9);
  return sorted[Math.max(k, 1) - 1] ?? Infinity;
}

/**
 * Split conformal prediction with normalised residuals (Lei et al. 2018, section 5.2): mean ± factor·std holds a further value with at
 * least the probability `coverage`, whatever the distribution, as long as that row could have been any of these. Predictions must
 * not have been fitted to these rows. With std = 1 throughout, the factor is half the width of an interval.
 *
 * @returns the factor; Infinity when the rows are too few for the coverage, n < coverage/(1 − coverage)
 */
export function conformalFactor(predictions: GaussianPredictions, coverage: number): number {
  return quantile(sortedScores(checkGaussian(predictions)), checkCoverage(coverage));
}

/**
 * The share of rows inside conformal intervals, where those of the even rows decide about the odd ones and the other way round: an
 * honest figure from the rows that the factor comes from.
 *
 * @throws KernelInputError as `checkGaussian`; NaN for a single row, which has no other to be judged by
 */
export function conformalCoverage(predictions: GaussianPredictions, coverage: number): number {
  checkGaussian(predictions);
  const { mean, std, y } = predictions;
  if (y.length < 2) return NaN;
  const half = (values: ArrayLike<number>, parity: number): number[] =>
    Array.from(values).filter((_, i) => i % 2 === parity);
  let inside = 0;
  for (const parity of [0, 1]) {
    const scores = [1 - parity, parity].map((rest) =>
      sortedScores({ mean: half(mean, rest), std: half(std, rest), y: half(y, rest) }),
    );
    const [others = new Float64Array(0), own = new Float64Array(0)] = scores;
    const factor = quantile(others, checkCoverage(coverage));
    inside += own.filter((score) => score <= factor).length;
  }
  return inside / y.length;
}
