import { M0, M1, Philox, ROUNDS, W0, W1 } from './philox.as';

/** Upper words of four products of unsigned words. */
@inline
function high4(a: v128, b: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(a, b);
  const high = i64x2.extmul_high_i32x4_u(a, b);
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
}

/**
 * Writes the blocks a, a + 1, b and b + 1 of the stream, 4 words each, to `out`: what `block` gives, four at a time. Each vector
 * holds one word of the four counters.
 */
@inline
export function fourBlocks(rng: Philox, a: u64, b: u64, out: usize): void {
  const low = i32x4(<i32>a, <i32>a, <i32>b, <i32>b);
  const high = i32x4(<i32>(a >> 32), <i32>(a >> 32), <i32>(b >> 32), <i32>(b >> 32));
  let c0 = i32x4.add(low, i32x4(0, 1, 0, 1));
  // A comparison gives −1 where the addition has carried.
  let c1 = i32x4.sub(high, i32x4.lt_u(c0, low));
  let c2 = i32x4.splat(<i32>rng.stream0);
  let c3 = i32x4.splat(<i32>rng.stream1);
  let k0 = i32x4.splat(<i32>rng.key0);
  let k1 = i32x4.splat(<i32>rng.key1);
  const m0 = i32x4.splat(<i32>M0);
  const m1 = i32x4.splat(<i32>M1);
  for (let round = 0; round < ROUNDS; round++) {
    const next0 = v128.xor(v128.xor(high4(m1, c2), c1), k0);
    const next2 = v128.xor(v128.xor(high4(m0, c0), c3), k1);
    c1 = i32x4.mul(m1, c2);
    c3 = i32x4.mul(m0, c0);
    c0 = next0;
    c2 = next2;
    k0 = i32x4.add(k0, i32x4.splat(<i32>W0));
    k1 = i32x4.add(k1, i32x4.splat(<i32>W1));
  }
  const first = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5);
  const second = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7);
  const third = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
  const fourth = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(first, third, 0, 2));
  v128.store(out, v128.shuffle<i64>(first, third, 1, 3), 16);
  v128.store(out, v128.shuffle<i64>(second, fourth, 0, 2), 32);
  v128.store(out, v128.shuffle<i64>(second, fourth, 1, 3), 48);
}

/** Writes 4·groups blocks from number `index` on to `out`. */
export function consecutiveBlocks(rng: Philox, index: u64, groups: i32, out: usize): void {
  for (; groups > 0; groups--, index += 4, out += 64) fourBlocks(rng, index, index + 2, out);
}
