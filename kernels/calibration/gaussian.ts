import type { MathExports } from '../math/index.ts';
import { checkGaussian } from './contract.ts';
import type { GaussianPredictions } from './contract.ts';

const HALF_LOG_2PI = 0.9189385332046728;
const INVERSE_SQRT_PI = 0.5641895835477563;

/** Half the width of central intervals of the normal distribution that hold 50, 90 and 95 %, in standard deviations. */
const Z50 = 0.6744897501960817;
const Z90 = 1.6448536269514722;
const Z95 = 1.959963984540054;

/** A squared scale below this is taken for it: of errors that are all zero nothing is learnt. */
const SMALLEST_SCALE2 = 1e-9;

/** How good predicted normal distributions are: means over rows. Units are those of y; less is better but for coverage. */
export interface GaussianScores {
  /** Negative log-likelihood, in nats. */
  readonly nll: number;
  /** Continuous ranked probability score, in units of y (Gneiting & Raftery 2007, eq. 21). */
  readonly crps: number;
  /** Shares of rows inside the central 50, 90 and 95 % intervals. */
  readonly coverage: { readonly 50: number; readonly 90: number; readonly 95: number };
}

/** z² = ((y − mean)/std)² of each row, and their sum in the order of the rows. */
function squares({ mean, std, y }: GaussianPredictions): { z2: Float64Array; sum: number } {
  const z2 = Float64Array.from({ length: y.length }, (_, i) => {
    const error = (y[i] ?? 0) - (mean[i] ?? 0);
    return (error * error) / (std[i] ?? 1) / (std[i] ?? 1);
  });
  return { z2, sum: z2.reduce((sum, value) => sum + value, 0) };
}

/**
 * The temperature of a regression: the factor on standard deviations under which these rows are likeliest. For normal distributions
 * it has a closed form, the root of the mean of z².
 */
export function stdScale(predictions: GaussianPredictions): number {
  const { z2, sum } = squares(checkGaussian(predictions));
  return Math.sqrt(Math.max(sum / z2.length, SMALLEST_SCALE2));
}

/**
 * For each row the square of the scale that the other rows give, so that a row does not judge what was fitted to it.
 *
 * @throws KernelInputError as `checkGaussian`; of a single row the scale is 1.
 */
export function othersScales2(predictions: GaussianPredictions): Float64Array {
  const { z2, sum } = squares(checkGaussian(predictions));
  if (z2.length === 1) return Float64Array.of(1);
  return z2.map((own) => Math.max((sum - own) / (z2.length - 1), SMALLEST_SCALE2));
}

/** @param scales2 squared factors on the standard deviations of the rows; default 1 */
export function gaussianScores(
  math: MathExports,
  predictions: GaussianPredictions,
  scales2?: Float64Array,
): GaussianScores {
  const { mean, std, y } = checkGaussian(predictions);
  const { z2 } = squares(predictions);
  const n = y.length;
  let nll = 0;
  let crps = 0;
  const inside = { 50: 0, 90: 0, 95: 0 };
  for (let i = 0; i < n; i++) {
    const scale2 = scales2?.[i] ?? 1;
    const scaled = (z2[i] ?? 0) / scale2;
    const sigma = (std[i] ?? 1) * Math.sqrt(scale2);
    nll += 0.5 * scaled + math.log(sigma) + HALF_LOG_2PI;
    const z = ((y[i] ?? 0) - (mean[i] ?? 0)) / sigma;
    crps += sigma * (z * (2 * math.normalCdf(z) - 1) + 2 * math.normalPdf(z) - INVERSE_SQRT_PI);
    if (scaled <= Z50 * Z50) inside[50]++;
    if (scaled <= Z90 * Z90) inside[90]++;
    if (scaled <= Z95 * Z95) inside[95]++;
  }
  return { nll: nll / n, crps: crps / n, coverage: { 50: inside[50] / n, 90: inside[90] / n, 95: inside[95] / n } };
}
