import { Philox } from './philox.as';
// The arithmetic of normal.ts, operation for operation, so that both give the same bits.

export const LN2_HIGH: f64 = 0.6931471803691238;
export const LN2_LOW: f64 = 1.9082149292705877e-10;
export const SQRT_1_2: f64 = 0.7071067811865476;

export const CENTRE_P: StaticArray<f64> = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
  33430.57558358813, 2509.0809287301227,
];
export const CENTRE_Q: StaticArray<f64> = [
  1.0, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
export const NEAR_P: StaticArray<f64> = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
];
export const NEAR_Q: StaticArray<f64> = [
  1.0, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const FAR_P: StaticArray<f64> = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
];
const FAR_Q: StaticArray<f64> = [
  1.0, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
  1.421511758316446e-7, 2.0442631033899397e-15,
];

/** 1/3, 1/5 … 1/23. */
export const LOG_SERIES: StaticArray<f64> = [
  1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0, 1.0 / 15.0, 1.0 / 17.0, 1.0 / 19.0, 1.0 / 21.0,
  1.0 / 23.0,
];

/** Σ coefficients[i] · xⁱ by Horner's rule; every table has eight. */
function polynomial(coefficients: StaticArray<f64>, x: f64): f64 {
  let sum = unchecked(coefficients[7]);
  for (let i = 6; i >= 0; i--) sum = sum * x + unchecked(coefficients[i]);
  return sum;
}

/** ln x for normal x > 0: see normal.ts. */
function naturalLog(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let exponent = <f64>(<i32>((bits >> 52) & 0x7ff) - 1022);
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3fe0000000000000);
  if (mantissa < SQRT_1_2) {
    mantissa *= 2.0;
    exponent -= 1.0;
  }
  const s = (mantissa - 1.0) / (mantissa + 1.0);
  const z = s * s;
  let sum = unchecked(LOG_SERIES[10]);
  for (let i = 9; i >= 0; i--) sum = sum * z + unchecked(LOG_SERIES[i]);
  return exponent * LN2_HIGH + (2.0 * s + (2.0 * s * z * sum + exponent * LN2_LOW));
}

/** Φ⁻¹(p) for 0 < p < 1: see normal.ts. */
export function normalQuantile(p: f64): f64 {
  const q = p - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRE_P, r)) / polynomial(CENTRE_Q, r);
  }
  const r = Math.sqrt(-naturalLog(q < 0.0 ? p : 1.0 - p));
  const x =
    r <= 5.0
      ? polynomial(NEAR_P, r - 1.6) / polynomial(NEAR_Q, r - 1.6)
      : polynomial(FAR_P, r - 5.0) / polynomial(FAR_Q, r - 5.0);
  return q < 0.0 ? -x : x;
}

/** Standard normal deviate by inversion; one deviate takes two words, so a position says everything about a stream. */
export function normal(rng: Philox): f64 {
  const a = rng.uint32() >>> 6;
  const b = rng.uint32() >>> 6;
  return normalQuantile((<f64>a * 67108864.0 + <f64>b + 0.5) * 2.220446049250313e-16);
}
