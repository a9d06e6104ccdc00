/** Bits of the exponent in the upper word of a double, and its bias. */
const EXPONENT_SHIFT = 20;
const EXPONENT_MASK = 0x7ff;
const BIAS = 1023;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** 2⁻ᵉ for |x| = m·2ᵉ, 1 ≤ m < 2; 1 for 0. Multiplication with it is exact. */
function inverseScale(x: number): number {
  double[0] = x;
  const exponent = ((words[1] ?? 0) >>> EXPONENT_SHIFT) & EXPONENT_MASK;
  if (exponent === 0) return 1;
  words[0] = 0;
  words[1] = Math.min(2 * BIAS - exponent, 2 * BIAS) << EXPONENT_SHIFT;
  return double[0];
}

/**
 * Targets less their mean, times a power of two that brings the largest magnitude below 2. Which split is best does not
 * depend on either; rounding errors and overflow do.
 */
export function centre(targets: Float64Array): Float64Array {
  let sum = 0;
  for (const target of targets) sum += target;
  const mean = sum / targets.length;
  const centred = targets.map((target) => target - mean);
  let largest = 0;
  for (const value of centred) largest = Math.max(largest, Math.abs(value));
  const scale = inverseScale(largest);
  return centred.map((value) => value * scale);
}
