/**
 * Normal quantiles from arithmetic and square roots alone. IEEE 754 fixes their every bit, so that this file and
 * normal.as.ts agree exactly, on every engine.
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const SQRT_1_2 = 0.7071067811865476;

/** Coefficients of Wichura, Algorithm AS 241: the percentage points of the normal distribution, Appl. Stat. 37 (1988). */
const CENTRE_P = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
];
const CENTRE_Q = [
  1.0, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
const NEAR_P = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
];
const NEAR_Q = [
  1.0, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const FAR_P = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
];
const FAR_Q = [
  1.0, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
  1.421511758316446e-7, 2.0442631033899397e-15,
];

/** How far the f32 deviates of normal.wgsl may be from these, of the same two words: relative, and absolute next to 0. */
export const NORMAL_F32_TOLERANCE = { relative: 2e-6, absolute: 1e-14 } as const;

/** Σ coefficients[i] · xⁱ by Horner's rule. */
function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + (coefficients[i] ?? 0);
  return sum;
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/**
 * ln x for normal x > 0, to about one unit in the last place.
 *
 * With x = m·2ᵉ and √½ ≤ m < √2, ln m = 2 artanh s for s = (m − 1)/(m + 1), |s| ≤ 0.172, whose series is cut after
 * s²³: what is left out is below 2⁻⁶⁰. ln 2 is split in two, the high part exact when multiplied by any exponent.
 */
export function naturalLog(x: number): number {
  double[0] = x;
  const high = words[1] ?? 0;
  let exponent = ((high >>> 20) & 0x7ff) - 1022;
  words[1] = (high & 0x000fffff) | 0x3fe00000;
  let mantissa = double[0];
  if (mantissa < SQRT_1_2) {
    mantissa *= 2;
    exponent -= 1;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  let sum = 1 / 23;
  for (let odd = 21; odd > 1; odd -= 2) sum = sum * z + 1 / odd;
  return exponent * LN2_HIGH + (2 * s + (2 * s * z * sum + exponent * LN2_LOW));
}

/** Φ⁻¹(p) for 0 < p < 1, relative error about 1e-16 (AS 241, PPND16). */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRE_P, r)) / polynomial(CENTRE_Q, r);
  }
  const r = Math.sqrt(-naturalLog(q < 0 ? p : 1 - p));
  const x =
    r <= 5
      ? polynomial(NEAR_P, r - 1.6) / polynomial(NEAR_Q, r - 1.6)
      : polynomial(FAR_P, r - 5) / polynomial(FAR_Q, r - 5);
  return q < 0 ? -x : x;
}
