import type { MathExports } from '../math/index.ts';
import { KernelInputError } from '../runtime/index.ts';

/** Beyond it a point has no influence that a double could show. */
const FAR = 40;

/** Two points nearer than this in every unit coordinate are the same experiment. */
const SAME_POINT = 1e-3;

/**
 * Multiplier, 0 … 1, of the predicted standard deviation at `x`, given points that are already tried or on their way.
 *
 * What those points will say is not known yet, but that they will say it is: as in a Gaussian process conditioned on a noise-free value, the
 * variance at x falls by 1 − k(x, p)² with k(x, p) = exp(−|x − p|²/(2ℓ²)); several points multiply. The mean stays as it is. This is the
 * hallucination of Desautels et al., Parallelizing exploration–exploitation tradeoffs in Gaussian process bandit optimization, JMLR 15
 * (2014), with a fixed kernel in place of the model's.
 *
 * @param points P points, in unit coordinates (each input divided by its range).
 * @param lengthScale ℓ, in the same coordinates.
 */
export function shunning(
  math: MathExports,
  points: readonly ArrayLike<number>[],
  lengthScale: number,
): (x: ArrayLike<number>) => number {
  if (!(lengthScale > 0)) throw new KernelInputError('lengthScale', 'a number > 0', lengthScale);
  const perLength2 = 1 / (lengthScale * lengthScale);
  return (x) => {
    let factor2 = 1;
    for (const point of points) {
      const distance = squaredDistance(x, point) * perLength2;
      if (distance < FAR) factor2 *= -math.expm1(-distance);
    }
    return Math.sqrt(factor2);
  };
}

/** True when `x` is one of the points, for all that an experiment could tell. */
export function isAmong(points: readonly ArrayLike<number>[], x: ArrayLike<number>): boolean {
  return points.some((point) => {
    for (let k = 0; k < x.length; k++) {
      if (Math.abs((x[k] ?? 0) - (point[k] ?? 0)) > SAME_POINT) return false;
    }
    return true;
  });
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) {
    const difference = (a[k] ?? 0) - (b[k] ?? 0);
    sum += difference * difference;
  }
  return sum;
}
