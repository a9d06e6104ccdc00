// Many normal deviates at once: the same words, and for each the arithmetic of normal.as.ts operation for operation, two
// deviates in the lanes of one register. A population is drawn in a third of the time that one deviate after the other takes.
import { CENTRE_P, CENTRE_Q, LN2_HIGH, LN2_LOW, LOG_SERIES, NEAR_P, NEAR_Q, SQRT_1_2, normal, normalQuantile } from './normal.as';
import { Philox } from './philox.as';
import { consecutiveBlocks } from './philox-simd.as';

/** Deviates of one round, a multiple of 8. */
const ROUND: i32 = 128;
/** Words of a round, and of the blocks that begin before it or end after it. */
const words: usize = memory.data(ROUND * 8 + 128, 16);
const uniforms: usize = memory.data(ROUND * 8, 16);
/** Which deviates of a round lie outside the central branch, as offsets in bytes. */
const tails: usize = memory.data(ROUND * 4 + 8, 16);

/** Σ coefficients[i] · xⁱ by Horner's rule for two x. */
@inline
function polynomials(coefficients: StaticArray<f64>, x: v128): v128 {
  const table = changetype<usize>(coefficients);
  let sum = v128.load64_splat(table, 56);
  sum = f64x2.add(f64x2.mul(sum, x), v128.load64_splat(table, 48));
  sum = f64x2.add(f64x2.mul(sum, x), v128.load64_splat(table, 40));
  sum = f64x2.add(f64x2.mul(sum, x), v128.load64_splat(table, 32));
  sum = f64x2.add(f64x2.mul(sum, x), v128.load64_splat(table, 24));
  sum = f64x2.add(f64x2.mul(sum, x), v128.load64_splat(table, 16));
  sum = f64x2.add(f64x2.mul(sum, x), v128.load64_splat(table, 8));
  return f64x2.add(f64x2.mul(sum, x), v128.load64_splat(table));
}

/** `naturalLog` of two numbers. */
@inline
function naturalLogs(x: v128): v128 {
  const one = f64x2.splat(1.0);
  const powers = i64x2.shr_u(x, 52);
  let exponent = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(powers, powers, 0, 2, 0, 2));
  exponent = f64x2.sub(exponent, f64x2.splat(1022.0));
  let mantissa = v128.or(v128.and(x, i64x2.splat(0x000fffffffffffff)), i64x2.splat(0x3fe0000000000000));
  const small = f64x2.lt(mantissa, f64x2.splat(SQRT_1_2));
  mantissa = f64x2.add(mantissa, v128.and(mantissa, small));
  exponent = f64x2.sub(exponent, v128.and(one, small));
  const s = f64x2.div(f64x2.sub(mantissa, one), f64x2.add(mantissa, one));
  const z = f64x2.mul(s, s);
  const table = changetype<usize>(LOG_SERIES);
  let sum = v128.load64_splat(table + 80);
  for (let i: usize = 80; i > 0; i -= 8) sum = f64x2.add(f64x2.mul(sum, z), v128.load64_splat(table + i - 8));
  const twice = f64x2.mul(f64x2.splat(2.0), s);
  const low = f64x2.add(f64x2.mul(f64x2.mul(twice, z), sum), f64x2.mul(exponent, f64x2.splat(LN2_LOW)));
  return f64x2.add(f64x2.mul(exponent, f64x2.splat(LN2_HIGH)), f64x2.add(twice, low));
}

/** Words from byte `from` on → numbers between 0 and 1, and from these the central branch, right or not. */
function centralDeviates(from: usize, out: usize, bytes: usize): void {
  const scale = f64x2.splat(67108864.0);
  const half = f64x2.splat(0.5);
  for (let i: usize = 0; i < bytes; i += 16) {
    const pairs = i32x4.shr_u(v128.load(from + i), 6);
    const a = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(pairs, pairs, 0, 2, 0, 2));
    const b = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(pairs, pairs, 1, 3, 1, 3));
    const whole = f64x2.add(f64x2.add(f64x2.mul(a, scale), b), half);
    const p = f64x2.mul(whole, f64x2.splat(2.220446049250313e-16));
    v128.store(uniforms + i, p);
    const q = f64x2.sub(p, half);
    const r = f64x2.sub(f64x2.splat(0.180625), f64x2.mul(q, q));
    v128.store(out + i, f64x2.div(f64x2.mul(q, polynomials(CENTRE_P, r)), polynomials(CENTRE_Q, r)));
  }
}

/** Lists the deviates outside the central branch; gives their number. Without a jump, since none could be foretold. */
function findTails(bytes: usize): i32 {
  let count = 0;
  for (let i: usize = 0; i < bytes; i += 8) {
    store<i32>(tails + ((<usize>count) << 2), <i32>i);
    const q = load<f64>(uniforms + i) - 0.5;
    count += <i32>!(Math.abs(q) <= 0.425);
  }
  return count;
}

/** Puts the listed deviates right, two at a time. */
function outerDeviates(count: i32, out: usize): void {
  if (count == 0) return;
  const end = (<usize>count) << 2;
  // An odd one at the end is its own partner.
  store<i32>(tails + end, load<i32>(tails + end - 4));
  for (let k: usize = 0; k < end; k += 8) {
    const first = <usize>load<i32>(tails + k);
    const second = <usize>load<i32>(tails + k, 4);
    const p = f64x2.replace_lane(v128.load64_splat(uniforms + first), 1, load<f64>(uniforms + second));
    const negative = f64x2.lt(f64x2.sub(p, f64x2.splat(0.5)), f64x2.splat(0.0));
    const rest = v128.bitselect(p, f64x2.sub(f64x2.splat(1.0), p), negative);
    const r = f64x2.sqrt(f64x2.neg(naturalLogs(rest)));
    if (i64x2.all_true(f64x2.le(r, f64x2.splat(5.0)))) {
      const t = f64x2.sub(r, f64x2.splat(1.6));
      const x = f64x2.div(polynomials(NEAR_P, t), polynomials(NEAR_Q, t));
      const signed = v128.xor(x, v128.and(negative, f64x2.splat(-0.0)));
      store<f64>(out + first, f64x2.extract_lane(signed, 0));
      store<f64>(out + second, f64x2.extract_lane(signed, 1));
    } else {
      store<f64>(out + first, normalQuantile(load<f64>(uniforms + first)));
      store<f64>(out + second, normalQuantile(load<f64>(uniforms + second)));
    }
  }
}

/** Fills n doubles at `out` with what n calls of `normal` would give. */
export function fillNormals(rng: Philox, out: usize, n: i32): void {
  let left = n & ~1;
  while (left > 0) {
    const count = min(left, ROUND);
    const skipped = (<usize>rng.position) & 3;
    consecutiveBlocks(rng, rng.position >> 2, (<i32>skipped + 2 * count + 15) >> 4, words);
    const bytes = (<usize>count) << 3;
    centralDeviates(words + (skipped << 2), out, bytes);
    outerDeviates(findTails(bytes), out);
    rng.position += 2 * <u64>count;
    out += bytes;
    left -= count;
  }
  rng.seek(rng.position);
  if (n & 1) store<f64>(out, normal(rng));
}
