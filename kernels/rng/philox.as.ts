// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC11), as in philox.ts.

const M0: u64 = 0xd2511f53;
const M1: u64 = 0xcd9e8d57;
const W0: u32 = 0x9e3779b9;
const W1: u32 = 0xbb67ae85;
const ROUNDS: i32 = 10;

/** A position in the stream of one (seed, stream) pair. Unmanaged, so that it can lie inside a kernel's own state. */
@unmanaged
export class Philox {
  key0: u32;
  key1: u32;
  stream0: u32;
  stream1: u32;
  /** 32-bit words drawn so far. */
  position: u64;
  word0: u32;
  word1: u32;
  word2: u32;
  word3: u32;

  seed(seed: f64, stream: f64): void {
    const key = <u64>seed;
    const high = <u64>stream;
    this.key0 = <u32>key;
    this.key1 = <u32>(key >> 32);
    this.stream0 = <u32>high;
    this.stream1 = <u32>(high >> 32);
    this.position = 0;
  }

  /** Continues after `position` words. */
  seek(position: u64): void {
    this.position = position;
    if ((position & 3) != 0) this.block(position >> 2);
  }

  block(index: u64): void {
    let c0 = <u32>index;
    let c1 = <u32>(index >> 32);
    let c2 = this.stream0;
    let c3 = this.stream1;
    let k0 = this.key0;
    let k1 = this.key1;
    for (let round = 0; round < ROUNDS; round++) {
      const p0 = M0 * <u64>c0;
      const p1 = M1 * <u64>c2;
      c0 = (<u32>(p1 >> 32)) ^ c1 ^ k0;
      c1 = <u32>p1;
      c2 = (<u32>(p0 >> 32)) ^ c3 ^ k1;
      c3 = <u32>p0;
      k0 += W0;
      k1 += W1;
    }
    this.word0 = c0;
    this.word1 = c1;
    this.word2 = c2;
    this.word3 = c3;
  }

  /** Writes 4·groups blocks from number `index` on to `out`, as 16 words each group, four blocks side by side in registers. */
  blocks(index: u64, groups: i32, out: usize): void {
    const key0 = i32x4.splat(this.key0);
    const key1 = i32x4.splat(this.key1);
    for (; groups > 0; groups--, index += 4, out += 64) {
      const low = i32x4.splat(<i32>index);
      let c0 = i32x4.add(low, i32x4(0, 1, 2, 3));
      let c1 = i32x4.sub(i32x4.splat(<i32>(index >> 32)), i32x4.lt_u(c0, low));
      let c2 = i32x4.splat(this.stream0);
      let c3 = i32x4.splat(this.stream1);
      let k0 = key0;
      let k1 = key1;
      for (let round = 0; round < ROUNDS; round++) {
        const p0 = i64x2.extmul_low_i32x4_u(c0, i32x4.splat(<i32>M0));
        const q0 = i64x2.extmul_high_i32x4_u(c0, i32x4.splat(<i32>M0));
        const p1 = i64x2.extmul_low_i32x4_u(c2, i32x4.splat(<i32>M1));
        const q1 = i64x2.extmul_high_i32x4_u(c2, i32x4.splat(<i32>M1));
        c0 = v128.xor(v128.xor(v128.shuffle<i32>(p1, q1, 1, 3, 5, 7), c1), k0);
        c1 = v128.shuffle<i32>(p1, q1, 0, 2, 4, 6);
        c2 = v128.xor(v128.xor(v128.shuffle<i32>(p0, q0, 1, 3, 5, 7), c3), k1);
        c3 = v128.shuffle<i32>(p0, q0, 0, 2, 4, 6);
        k0 = i32x4.add(k0, i32x4.splat(<i32>W0));
        k1 = i32x4.add(k1, i32x4.splat(<i32>W1));
      }
      const low01 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5);
      const low23 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
      const high01 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7);
      const high23 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
      v128.store(out, v128.shuffle<i32>(low01, low23, 0, 1, 4, 5));
      v128.store(out, v128.shuffle<i32>(low01, low23, 2, 3, 6, 7), 16);
      v128.store(out, v128.shuffle<i32>(high01, high23, 0, 1, 4, 5), 32);
      v128.store(out, v128.shuffle<i32>(high01, high23, 2, 3, 6, 7), 48);
    }
  }

  uint32(): u32 {
    const lane = (<u32>this.position) & 3;
    if (lane == 0) this.block(this.position >> 2);
    this.position++;
    return load<u32>(changetype<usize>(this) + offsetof<Philox>('word0') + ((<usize>lane) << 2));
  }

  /** Uniform on [0, 1): 53 bits of two words. */
  uniform(): f64 {
    const a = this.uint32() >>> 5;
    const b = this.uint32() >>> 6;
    return (<f64>a * 67108864.0 + <f64>b) * 1.1102230246251565e-16;
  }

  /** Uniform on {0, …, n − 1}, 1 ≤ n < 2³² (Lemire 2019, without bias). */
  integer(n: u32): u32 {
    let product = <u64>this.uint32() * <u64>n;
    // The threshold is below n, and a division costs more than all else here.
    if (<u32>product < n) {
      const threshold = (<u32>0 - n) % n;
      while (<u32>product < threshold) product = <u64>this.uint32() * <u64>n;
    }
    return <u32>(product >> 32);
  }
}
