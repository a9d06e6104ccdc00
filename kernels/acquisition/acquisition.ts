import type { MathExports } from '../math/index.ts';
import { checkOptions, type AcquisitionOptions } from './contract.ts';
import { logExpectedImprovement } from './improvement.ts';

/** Uncertainty below this share of the best value (of 1, if that is 0) is rounding. */
const RELATIVE_STD_FLOOR = 1e-12;
const SMALLEST_STD = 1e-300;

/** Keeps z², which the tails are made of, finite. */
const clamp = (z: number): number => Math.min(Math.max(z, -1e150), 1e150);

/** The score of a predicted mean and standard deviation; greater is better. */
export type Acquisition = (mean: number, std: number) => number;

/**
 * The acquisition that `options` ask for. A std of 0 is well defined everywhere: the score is the limit for std → 0, kept finite.
 *
 * @throws KernelInputError naming the option that does not fit.
 */
export function acquisition(math: MathExports, options: AcquisitionOptions): Acquisition {
  const { kind, sign, kappa, xi, best } = checkOptions(options);
  const floor = Math.max(RELATIVE_STD_FLOOR * (Math.abs(best) || 1), SMALLEST_STD);
  const improvement = (mean: number, std: number): { z: number; scale: number } => {
    const scale = Math.max(std, floor);
    return { z: clamp((sign * mean - best - xi) / scale), scale };
  };
  switch (kind) {
    case 'mean':
    case 'thompson':
      return (mean) => sign * mean;
    case 'ucb':
      return (mean, std) => sign * mean + kappa * std;
    case 'pi':
      return (mean, std) => math.logNormalCdf(improvement(mean, std).z);
    case 'ei':
      return (mean, std) => {
        const { z, scale } = improvement(mean, std);
        return logExpectedImprovement(math, z) + math.log(scale);
      };
  }
}
