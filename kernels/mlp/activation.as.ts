import { GELU, TANH } from './network.as';

const LOG2E: f32 = 1.44269504;
/** ln 2 in two parts; the first has few enough bits that its multiples by small integers are exact. */
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.1219444e-4;
/** From here on tanh x rounds to 1. */
const TANH_ONE: f32 = 9.02;

/**
 * tanh of four numbers, relative error below 2e-7: (e^(2x) − 1)/(e^(2x) + 1) for |x|, with e^(2x) − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1),
 * |r| ≤ ½ ln 2, so that nothing cancels near zero. eʳ − 1 by its Taylor series to r⁷.
 */
function tanh4(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const magnitude = f32x4.pmin(v128.andnot(x, i32x4.splat(0x80000000)), f32x4.splat(TANH_ONE));
  const y = f32x4.add(magnitude, magnitude);
  const n = f32x4.nearest(f32x4.mul(y, f32x4.splat(LOG2E)));
  const r = f32x4.sub(f32x4.sub(y, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)));
  let sum = f32x4.splat(1.0 / 5040.0);
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 720.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 120.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 24.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 6.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(0.5));
  sum = f32x4.add(f32x4.mul(f32x4.mul(sum, r), r), r);
  const scale = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  const one = f32x4.splat(1);
  const expm1 = f32x4.add(f32x4.mul(scale, sum), f32x4.sub(scale, one));
  return v128.or(sign, f32x4.div(expm1, f32x4.add(expm1, f32x4.splat(2))));
}

/** From here on e^(−z²/2) is taken for 0. */
const GELU_FLAT: f32 = 9.5;
const SQRT_1_2: f32 = 0.70710678;
const INVERSE_SQRT_2PI: f32 = 0.39894228;

/** e^(−z²/2) of four numbers |z| < 9.5, relative error below 3e-7; 0 beyond. As `tanh4`, without its subtraction of 1. */
function bell4(z: v128): v128 {
  const flat = f32x4.splat(GELU_FLAT);
  const magnitude = f32x4.pmin(f32x4.abs(z), flat);
  const y = f32x4.mul(f32x4.splat(-0.5), f32x4.mul(magnitude, magnitude));
  const n = f32x4.nearest(f32x4.mul(y, f32x4.splat(LOG2E)));
  const r = f32x4.sub(f32x4.sub(y, f32x4.mul(n, f32x4.splat(LN2_HIGH))), f32x4.mul(n, f32x4.splat(LN2_LOW)));
  let sum = f32x4.splat(1.0 / 720.0);
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 120.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 24.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1.0 / 6.0));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(0.5));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1));
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1));
  const scale = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return v128.and(f32x4.mul(scale, sum), f32x4.lt(magnitude, flat));
}

/**
 * Φ of four numbers, absolute error below 1.5e-7, from bell = e^(−z²/2): Abramowitz & Stegun 1964, 7.1.26. The smaller of Φ and 1 − Φ is
 * what is approximated.
 */
function normalCdf4(z: v128, bell: v128): v128 {
  const one = f32x4.splat(1);
  const x = f32x4.mul(f32x4.abs(z), f32x4.splat(SQRT_1_2));
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(f32x4.splat(0.3275911), x)));
  let sum = f32x4.splat(1.061405429);
  sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(-1.453152027));
  sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(1.421413741));
  sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(-0.284496736));
  sum = f32x4.add(f32x4.mul(sum, t), f32x4.splat(0.254829592));
  const tail = f32x4.mul(f32x4.mul(f32x4.splat(0.5), f32x4.mul(sum, t)), bell);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(z, f32x4.splat(0)));
}

function gelu4(z: v128): v128 {
  return f32x4.mul(z, normalCdf4(z, bell4(z)));
}

/** Applies the activation to a panel of N rows, in place. */
export function activatePanel(activation: i32, panel: usize, rows: i32): void {
  const end = panel + ((<usize>rows) << 5);
  if (activation == TANH) {
    for (; panel < end; panel += 16) v128.store(panel, tanh4(v128.load(panel)));
    return;
  }
  if (activation == GELU) {
    for (; panel < end; panel += 16) v128.store(panel, gelu4(v128.load(panel)));
    return;
  }
  // pmax(x, 0) is "x < 0 ? 0 : x": it keeps a NaN, which must not vanish before the loss shows it.
  const zero = f32x4.splat(0);
  for (; panel < end; panel += 16) v128.store(panel, f32x4.pmax(v128.load(panel), zero));
}

/** delta ← delta · g′ for a panel of N rows; g′ is found from the layer's outputs. */
export function differentiatePanel(activation: i32, outputs: usize, delta: usize, rows: i32): void {
  const end = delta + ((<usize>rows) << 5);
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  if (activation == TANH) {
    for (; delta < end; delta += 16, outputs += 16) {
      const y = v128.load(outputs);
      v128.store(delta, f32x4.mul(v128.load(delta), f32x4.sub(one, f32x4.mul(y, y))));
    }
    return;
  }
  for (; delta < end; delta += 16, outputs += 16) {
    v128.store(delta, v128.and(v128.load(delta), f32x4.gt(v128.load(outputs), zero)));
  }
}

/** As `activatePanel`; also stores g′. For GELU, whose outputs do not tell it: g = z·Φ(z), g′ = Φ(z) + z·φ(z). */
export function activateWithSlopes(activation: i32, panel: usize, slopes: usize, rows: i32): void {
  const end = panel + ((<usize>rows) << 5);
  const one = f32x4.splat(1);
  if (activation == GELU) {
    for (; panel < end; panel += 16, slopes += 16) {
      const z = v128.load(panel);
      const bell = bell4(z);
      const cdf = normalCdf4(z, bell);
      v128.store(panel, f32x4.mul(z, cdf));
      v128.store(slopes, f32x4.add(cdf, f32x4.mul(z, f32x4.mul(f32x4.splat(INVERSE_SQRT_2PI), bell))));
    }
    return;
  }
  for (let place = slopes; place < slopes + ((<usize>rows) << 5); place += 16) v128.store(place, one);
  activatePanel(activation, panel, rows);
  differentiatePanel(activation, panel, slopes, rows);
}

/** delta ← delta · slopes, for a panel of N rows. */
export function multiplySlopes(slopes: usize, delta: usize, rows: i32): void {
  const end = delta + ((<usize>rows) << 5);
  for (; delta < end; delta += 16, slopes += 16) {
    v128.store(delta, f32x4.mul(v128.load(delta), v128.load(slopes)));
  }
}
