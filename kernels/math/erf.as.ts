// The error function by series and continued fraction (Abramowitz & Stegun 1964, 7.1.6 and 7.1.14).

const SQRT_PI: f64 = 1.7724538509055160273;
const SQRT_1_2: f64 = 0.7071067811865475244;
const SQRT_2PI: f64 = 2.5066282746310005024;

/** From here on the continued fraction converges in a few dozen terms; below it the series is accurate. */
const FRACTION_FROM: f64 = 2.0;

/** erf for |x| < 2: 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)). All terms have one sign. */
function erfSeries(x: f64): f64 {
  const twoX2 = 2.0 * x * x;
  let term = x;
  let sum = x;
  let previous = 0.0;
  for (let odd = 3.0; sum != previous; odd += 2.0) {
    previous = sum;
    term *= twoX2 / odd;
    sum += term;
  }
  return (2.0 / SQRT_PI) * Math.exp(-x * x) * sum;
}

/** e^(x²) · erfc(x) for x ≥ 2, by the continued fraction from its tail. */
function erfcScaled(x: f64): f64 {
  let tail = x;
  for (let k = 60; k > 0; k--) tail = x + (0.5 * <f64>k) / tail;
  return 1.0 / (SQRT_PI * tail);
}

export function erf(x: f64): f64 {
  if (x != x) return NaN;
  if (x < 0.0) return -erf(-x);
  if (x < FRACTION_FROM) return erfSeries(x);
  if (x > 6.0) return 1.0;
  return 1.0 - Math.exp(-x * x) * erfcScaled(x);
}

export function erfc(x: f64): f64 {
  if (x != x) return NaN;
  if (x < FRACTION_FROM) return 1.0 - erf(x);
  if (x > 28.0) return 0.0;
  return Math.exp(-x * x) * erfcScaled(x);
}

/** φ(x), density of the standard normal distribution. */
export function normalPdf(x: f64): f64 {
  return Math.exp(-0.5 * x * x) / SQRT_2PI;
}

/** Φ(x), distribution function of the standard normal distribution. */
export function normalCdf(x: f64): f64 {
  return 0.5 * erfc(-x * SQRT_1_2);
}

/** log Φ(x), finite far into the lower tail. */
export function logNormalCdf(x: f64): f64 {
  const z = -x * SQRT_1_2;
  if (z < FRACTION_FROM) return Math.log1p(-0.5 * erfc(-z));
  return -z * z + Math.log(0.5 * erfcScaled(z));
}
