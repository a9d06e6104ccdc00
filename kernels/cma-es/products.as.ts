// Dense products on rows of doubles, two lanes at a time. The order of every sum is fixed by the shapes alone.

/** Both lanes of four partial sums, in one fixed order. */
@inline
export function total(a: v128, b: v128, c: v128, d: v128): f64 {
  const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** Σ aᵢ·bᵢ for n entries. Eight partial sums go side by side, since one would wait for each of its additions. */
export function dot(a: usize, b: usize, n: i32): f64 {
  let s0 = f64x2.splat(0.0);
  let s1 = f64x2.splat(0.0);
  let s2 = f64x2.splat(0.0);
  let s3 = f64x2.splat(0.0);
  const bytes = <usize>n << 3;
  let i: usize = 0;
  for (; i + 64 <= bytes; i += 64) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(a + i), v128.load(b + i)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(a + i, 16), v128.load(b + i, 16)));
    s2 = f64x2.add(s2, f64x2.mul(v128.load(a + i, 32), v128.load(b + i, 32)));
    s3 = f64x2.add(s3, f64x2.mul(v128.load(a + i, 48), v128.load(b + i, 48)));
  }
  for (; i + 16 <= bytes; i += 16) s0 = f64x2.add(s0, f64x2.mul(v128.load(a + i), v128.load(b + i)));
  const sum = total(s0, s1, s2, s3);
  return i < bytes ? sum + load<f64>(a + i) * load<f64>(b + i) : sum;
}

/** y += α·x for n entries. */
export function axpy(alpha: f64, x: usize, y: usize, n: i32): void {
  const factor = f64x2.splat(alpha);
  const bytes = (<usize>n) << 3;
  let i: usize = 0;
  for (; i + 64 <= bytes; i += 64) {
    const y0 = f64x2.add(v128.load(y + i), f64x2.mul(factor, v128.load(x + i)));
    const y1 = f64x2.add(v128.load(y + i, 16), f64x2.mul(factor, v128.load(x + i, 16)));
    const y2 = f64x2.add(v128.load(y + i, 32), f64x2.mul(factor, v128.load(x + i, 32)));
    const y3 = f64x2.add(v128.load(y + i, 48), f64x2.mul(factor, v128.load(x + i, 48)));
    v128.store(y + i, y0);
    v128.store(y + i, y1, 16);
    v128.store(y + i, y2, 32);
    v128.store(y + i, y3, 48);
  }
  for (; i + 16 <= bytes; i += 16) {
    v128.store(y + i, f64x2.add(v128.load(y + i), f64x2.mul(factor, v128.load(x + i))));
  }
  if (i < bytes) store<f64>(y + i, load<f64>(y + i) + alpha * load<f64>(x + i));
}

/** Two rows of the sum Σₖ (left[k]·right[k]) as a tile of 2×8; strides in bytes. */
@inline
function tile8(left: usize, leftStep: usize, second: usize, right: usize, step: usize, n: i32, out: usize, outStep: usize, decay: f64): void {
  const scale = f64x2.splat(decay);
  const low = out + outStep;
  let a0 = f64x2.mul(scale, v128.load(out));
  let a1 = f64x2.mul(scale, v128.load(out, 16));
  let a2 = f64x2.mul(scale, v128.load(out, 32));
  let a3 = f64x2.mul(scale, v128.load(out, 48));
  let b0 = f64x2.mul(scale, v128.load(low));
  let b1 = f64x2.mul(scale, v128.load(low, 16));
  let b2 = f64x2.mul(scale, v128.load(low, 32));
  let b3 = f64x2.mul(scale, v128.load(low, 48));
  for (let k = 0; k < n; k++) {
    const x = v128.load64_splat(left);
    const y = v128.load64_splat(left + second);
    const r0 = v128.load(right);
    const r1 = v128.load(right, 16);
    const r2 = v128.load(right, 32);
    const r3 = v128.load(right, 48);
    a0 = f64x2.add(a0, f64x2.mul(x, r0));
    a1 = f64x2.add(a1, f64x2.mul(x, r1));
    a2 = f64x2.add(a2, f64x2.mul(x, r2));
    a3 = f64x2.add(a3, f64x2.mul(x, r3));
    b0 = f64x2.add(b0, f64x2.mul(y, r0));
    b1 = f64x2.add(b1, f64x2.mul(y, r1));
    b2 = f64x2.add(b2, f64x2.mul(y, r2));
    b3 = f64x2.add(b3, f64x2.mul(y, r3));
    left += leftStep;
    right += step;
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out, a2, 32);
  v128.store(out, a3, 48);
  v128.store(low, b0);
  v128.store(low, b1, 16);
  v128.store(low, b2, 32);
  v128.store(low, b3, 48);
}

/** The same as a tile of 2×2, for what is left at the end of a row. */
@inline
function tile2(left: usize, leftStep: usize, second: usize, right: usize, step: usize, n: i32, out: usize, outStep: usize, decay: f64): void {
  const scale = f64x2.splat(decay);
  const low = out + outStep;
  let a = f64x2.mul(scale, v128.load(out));
  let b = f64x2.mul(scale, v128.load(low));
  for (let k = 0; k < n; k++) {
    const r = v128.load(right);
    a = f64x2.add(a, f64x2.mul(v128.load64_splat(left), r));
    b = f64x2.add(b, f64x2.mul(v128.load64_splat(left + second), r));
    left += leftStep;
    right += step;
  }
  v128.store(out, a);
  v128.store(low, b);
}

/** out = a·b with a: rows×ld of which n columns count, b: n×ld, out: rows×ld. rows and ld are even. */
export function multiply(a: usize, b: usize, out: usize, rows: i32, n: i32, ld: i32): void {
  const step = <usize>ld << 3;
  memory.fill(out, 0, <usize>rows * step);
  for (let row = 0; row < rows; row += 2) {
    const left = a + <usize>row * step;
    const target = out + <usize>row * step;
    let column = 0;
    for (; column + 8 <= ld; column += 8) {
      const shift = <usize>column << 3;
      tile8(left, 8, step, b + shift, step, n, target + shift, step, 1.0);
    }
    for (; column < ld; column += 2) {
      const shift = <usize>column << 3;
      tile2(left, 8, step, b + shift, step, n, target + shift, step, 1.0);
    }
  }
}

/** Lower triangle of c = decay·c + aᵀ·b with a, b: n×ld, c: ld×ld. Above the diagonal c is scratch. ld is even. */
export function addProductLower(a: usize, b: usize, c: usize, n: i32, ld: i32, decay: f64): void {
  const step = <usize>ld << 3;
  for (let row = 0; row < ld; row += 2) {
    const left = a + (<usize>row << 3);
    const target = c + <usize>row * step;
    let column = 0;
    for (; column + 8 <= row + 2; column += 8) {
      const shift = <usize>column << 3;
      tile8(left, step, 8, b + shift, step, n, target + shift, step, decay);
    }
    for (; column < row + 2; column += 2) {
      const shift = <usize>column << 3;
      tile2(left, step, 8, b + shift, step, n, target + shift, step, decay);
    }
  }
}
