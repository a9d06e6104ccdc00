// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC11), as in philox.ts.

export const M0: u64 = 0xd2511f53;
export const M1: u64 = 0xcd9e8d57;
export const W0: u32 = 0x9e3779b9;
export const W1: u32 = 0xbb67ae85;
export const ROUNDS: i32 = 10;

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
