import type { MathExports } from '../math/index.ts';

const LOG_SQRT_2PI = 0.9189385332046728;
/** Below it φ(z) + z·Φ(z) loses digits to cancellation, and the continued fraction has converged. */
const TAIL_FROM = -3;
const FRACTION_TERMS = 64;

/**
 * log(φ(z) + z·Φ(z)): the logarithm of the expected improvement of a standard normal variable over −z. Finite where expected improvement
 * itself is 0 in floating point, so that candidates far from promising are still told apart (Ament et al., Unexpected improvements to
 * expected improvement, 2023).
 *
 * For z = −t in the tail, φ(z) + z·Φ(z) = φ(t)·(1 − t·M(t)) with Mills' ratio M(t) = 1/(t + K), K = 1/(t + 2/(t + 3/(t + …))) (Abramowitz & Stegun
 * 26.2.14), so that 1 − t·M(t) = K/(t + K) without any cancellation.
 */
export function logExpectedImprovement(math: MathExports, z: number): number {
  if (z > TAIL_FROM) return math.log(math.normalPdf(z) + z * math.normalCdf(z));
  const t = -z;
  let fraction = t;
  for (let n = FRACTION_TERMS; n > 1; n--) fraction = t + n / fraction;
  // K/(t + K) with K = 1/fraction.
  return -0.5 * t * t - LOG_SQRT_2PI - math.log(t * fraction + 1);
}
