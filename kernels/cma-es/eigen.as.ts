// Eigenvalues and eigenvectors of a real symmetric matrix: Householder reduction to tridiagonal form (Martin, Reinsch,
// Wilkinson, Numer. Math. 11, 1968), then implicit QL (Dubrulle, Martin, Wilkinson, Numer. Math. 12, 1968).
// Eigenvectors are kept as rows, so that every inner loop runs along memory.
import { axpy, dot, total } from './products.as';

const EPSILON: f64 = 2.220446049250313e-16;
/** Squared cosines up to here count as zero. */
const TINY: f64 = 1e-280;
/** Sweeps for one eigenvalue; three are usual. More means that the matrix has NaNs or infinities. */
const MAX_SWEEPS: i32 = 60;

/** y += A·u for the leading n×n block of a symmetric matrix of which the lower triangle counts. */
function addSymmetricProduct(a: usize, step: usize, u: usize, y: usize, n: i32): void {
  for (let row = 0; row < n; row++) {
    const line = a + <usize>row * step;
    const here = (<usize>row) << 3;
    const factor = load<f64>(u + here);
    const spread = f64x2.splat(factor);
    const bytes = (<usize>row) << 3;
    let s0 = f64x2.splat(0.0);
    let s1 = f64x2.splat(0.0);
    let s2 = f64x2.splat(0.0);
    let s3 = f64x2.splat(0.0);
    let i: usize = 0;
    for (; i + 64 <= bytes; i += 64) {
      const v0 = v128.load(line + i);
      const v1 = v128.load(line + i, 16);
      const v2 = v128.load(line + i, 32);
      const v3 = v128.load(line + i, 48);
      s0 = f64x2.add(s0, f64x2.mul(v0, v128.load(u + i)));
      s1 = f64x2.add(s1, f64x2.mul(v1, v128.load(u + i, 16)));
      s2 = f64x2.add(s2, f64x2.mul(v2, v128.load(u + i, 32)));
      s3 = f64x2.add(s3, f64x2.mul(v3, v128.load(u + i, 48)));
      v128.store(y + i, f64x2.add(v128.load(y + i), f64x2.mul(v0, spread)));
      v128.store(y + i, f64x2.add(v128.load(y + i, 16), f64x2.mul(v1, spread)), 16);
      v128.store(y + i, f64x2.add(v128.load(y + i, 32), f64x2.mul(v2, spread)), 32);
      v128.store(y + i, f64x2.add(v128.load(y + i, 48), f64x2.mul(v3, spread)), 48);
    }
    for (; i + 16 <= bytes; i += 16) {
      const value = v128.load(line + i);
      s0 = f64x2.add(s0, f64x2.mul(value, v128.load(u + i)));
      v128.store(y + i, f64x2.add(v128.load(y + i), f64x2.mul(value, spread)));
    }
    let sum = total(s0, s1, s2, s3);
    if (i < bytes) {
      const value = load<f64>(line + i);
      sum += value * load<f64>(u + i);
      store<f64>(y + i, load<f64>(y + i) + value * factor);
    }
    store<f64>(y + here, load<f64>(y + here) + (sum + load<f64>(line + here) * factor));
  }
}

/** A −= u·qᵀ + q·uᵀ on the lower triangle of the leading n×n block. */
function subtractRankTwo(a: usize, step: usize, u: usize, q: usize, n: i32): void {
  for (let row = 0; row < n; row++) {
    const line = a + <usize>row * step;
    const uRow = load<f64>(u + ((<usize>row) << 3));
    const qRow = load<f64>(q + ((<usize>row) << 3));
    const us = f64x2.splat(uRow);
    const qs = f64x2.splat(qRow);
    const bytes = (<usize>(row + 1)) << 3;
    const paired = bytes & ~15;
    for (let i: usize = 0; i < paired; i += 16) {
      const change = f64x2.add(f64x2.mul(us, v128.load(q + i)), f64x2.mul(qs, v128.load(u + i)));
      v128.store(line + i, f64x2.sub(v128.load(line + i), change));
    }
    if (paired < bytes) {
      const change = uRow * load<f64>(q + paired) + qRow * load<f64>(u + paired);
      store<f64>(line + paired, load<f64>(line + paired) - change);
    }
  }
}

/**
 * Reduces A (lower triangle, n×n, rows `step` bytes apart) to diagonal and off-diagonal (off[i] couples i − 1 and i).
 * The reflector of step i stays in row i of A; norms[i] is its ½‖u‖², or 0 where nothing had to be reflected.
 */
function reduce(a: usize, step: usize, n: i32, diagonal: usize, off: usize, norms: usize, q: usize): void {
  for (let i = n - 1; i > 0; i--) {
    const u = a + <usize>i * step;
    const here = (<usize>i) << 3;
    const last = u + here - 8;
    let scale = 0.0;
    for (let k = 0; k < i; k++) scale += Math.abs(load<f64>(u + ((<usize>k) << 3)));
    store<f64>(diagonal + here, load<f64>(u + here));
    if (i == 1 || scale == 0.0) {
      store<f64>(off + here, load<f64>(last));
      store<f64>(norms + here, 0.0);
      continue;
    }
    for (let k = 0; k < i; k++) {
      const at = u + ((<usize>k) << 3);
      store<f64>(at, load<f64>(at) / scale);
    }
    let h = dot(u, u, i);
    const f = load<f64>(last);
    const g = f >= 0.0 ? -Math.sqrt(h) : Math.sqrt(h);
    store<f64>(off + here, scale * g);
    h -= f * g;
    store<f64>(last, f - g);
    store<f64>(norms + here, h);
    memory.fill(q, 0, (<usize>i) << 3);
    addSymmetricProduct(a, step, u, q, i);
    const inverse = 1.0 / h;
    for (let k = 0; k < i; k++) {
      const at = q + ((<usize>k) << 3);
      store<f64>(at, load<f64>(at) * inverse);
    }
    axpy(-0.5 * dot(u, q, i) * inverse, u, q, i);
    subtractRankTwo(a, step, u, q, i);
  }
  store<f64>(diagonal, load<f64>(a));
  store<f64>(off, 0.0);
}

/** Rows of E become the rows of Qᵀ, where A = Q·T·Qᵀ, from the reflectors that `reduce` left. */
function accumulate(a: usize, e: usize, step: usize, n: i32, norms: usize): void {
  memory.fill(e, 0, <usize>n * step);
  store<f64>(e, 1.0);
  for (let i = 1; i < n; i++) {
    const h = load<f64>(norms + ((<usize>i) << 3));
    if (h != 0.0) {
      const u = a + <usize>i * step;
      for (let row = 0; row < i; row++) {
        const line = e + <usize>row * step;
        axpy(-dot(u, line, i) / h, u, line, i);
      }
    }
    store<f64>(e + <usize>i * step + ((<usize>i) << 3), 1.0);
  }
}

/**
 * Applies one sweep's rotations to rows last … first of E, where rotation i turns rows i and i + 1. Eight columns go
 * through the whole sweep at a time: the row that two neighbouring rotations share stays in registers.
 */
function rotate(e: usize, step: usize, first: i32, last: i32, cosines: usize, sines: usize): void {
  let column: usize = 0;
  const top = e + <usize>last * step;
  for (; column + 64 <= step; column += 64) {
    let row = top + column;
    let c0 = v128.load(row);
    let c1 = v128.load(row, 16);
    let c2 = v128.load(row, 32);
    let c3 = v128.load(row, 48);
    for (let i = last - 1; i >= first; i--) {
      const c = v128.load64_splat(cosines + ((<usize>i) << 3));
      const s = v128.load64_splat(sines + ((<usize>i) << 3));
      const above = row - step;
      const r0 = v128.load(above);
      const r1 = v128.load(above, 16);
      const r2 = v128.load(above, 32);
      const r3 = v128.load(above, 48);
      v128.store(row, f64x2.add(f64x2.mul(s, r0), f64x2.mul(c, c0)));
      v128.store(row, f64x2.add(f64x2.mul(s, r1), f64x2.mul(c, c1)), 16);
      v128.store(row, f64x2.add(f64x2.mul(s, r2), f64x2.mul(c, c2)), 32);
      v128.store(row, f64x2.add(f64x2.mul(s, r3), f64x2.mul(c, c3)), 48);
      c0 = f64x2.sub(f64x2.mul(c, r0), f64x2.mul(s, c0));
      c1 = f64x2.sub(f64x2.mul(c, r1), f64x2.mul(s, c1));
      c2 = f64x2.sub(f64x2.mul(c, r2), f64x2.mul(s, c2));
      c3 = f64x2.sub(f64x2.mul(c, r3), f64x2.mul(s, c3));
      row = above;
    }
    v128.store(row, c0);
    v128.store(row, c1, 16);
    v128.store(row, c2, 32);
    v128.store(row, c3, 48);
  }
  for (; column < step; column += 16) {
    let row = top + column;
    let carried = v128.load(row);
    for (let i = last - 1; i >= first; i--) {
      const c = v128.load64_splat(cosines + ((<usize>i) << 3));
      const s = v128.load64_splat(sines + ((<usize>i) << 3));
      const above = row - step;
      const value = v128.load(above);
      v128.store(row, f64x2.add(f64x2.mul(s, value), f64x2.mul(c, carried)));
      carried = f64x2.sub(f64x2.mul(c, value), f64x2.mul(s, carried));
      row = above;
    }
    v128.store(row, carried);
  }
}

/** First place from `from` on where the tridiagonal matrix falls apart; n − 1 when it does not. */
function splitAt(diagonal: usize, off: usize, from: i32, n: i32): i32 {
  let m = from;
  for (; m < n - 1; m++) {
    const at = (<usize>m) << 3;
    const size = EPSILON * (Math.abs(load<f64>(diagonal + at)) + Math.abs(load<f64>(diagonal + at, 8)));
    if (Math.abs(load<f64>(off + at)) <= size * size) break;
  }
  return m;
}

/** The numbers from `from` up to `to`, squares with the sign of what was squared, become their roots. */
function takeRoots(from: usize, to: usize): void {
  const signs = f64x2.splat(-0.0);
  for (; from < to; from += 16) {
    const square = v128.load(from);
    v128.store(from, v128.bitselect(square, f64x2.sqrt(f64x2.abs(square)), signs));
  }
}

/**
 * One implicit QL sweep over rows l … m of a tridiagonal matrix, off[i] = e·|e| for the entry e that couples i and i + 1.
 *
 * In the rational form of Reinsch (Algorithm 464, Comm. ACM 16, 1973): one rotation waits for a division of the one
 * before, where the usual form waits for a root and a division. Signs go by the side, and the roots are taken at the end.
 */
function sweep(diagonal: usize, off: usize, l: i32, m: i32, cosines: usize, sines: usize): void {
  const low = (<usize>l) << 3;
  const high = (<usize>m) << 3;
  const corner = load<f64>(diagonal + low);
  const e = Math.sqrt(Math.abs(load<f64>(off + low)));
  const half = (load<f64>(diagonal + low, 8) - corner) / (2.0 * e);
  const shift = corner - e / (half + copysign<f64>(Math.sqrt(half * half + 1.0), half));
  // p², γ = cos·p, and squares of the last rotation's cosine and sine.
  let gamma = load<f64>(diagonal + high) - shift;
  let square = gamma * gamma;
  let cosine = 1.0;
  let sine = 0.0;
  // ±1 with the sign of p, and of the last cosine.
  let sign = copysign<f64>(1.0, gamma);
  let cosineSign = 1.0;
  for (let at = high - 8; at + 8 > low; at -= 8) {
    const entry = load<f64>(off + at);
    const coupling = Math.abs(entry);
    const sum = square + coupling;
    store<f64>(off + at, copysign<f64>(sine * sum, load<f64>(off + at, 8)), 8);
    const before = cosine;
    cosine = square / sum;
    sine = coupling / sum;
    store<f64>(cosines + at, copysign<f64>(cosine, sign));
    store<f64>(sines + at, copysign<f64>(sine, entry));
    const alpha = load<f64>(diagonal + at);
    const next = cosine * (alpha - shift) - sine * gamma;
    store<f64>(diagonal + at, gamma + (alpha - next), 8);
    gamma = next;
    if (cosine > TINY) {
      square = gamma * gamma * (sum / square);
      cosineSign = sign;
      sign = copysign<f64>(sign, sign * gamma);
    } else {
      square = before * coupling;
      const kept = sign;
      sign = -cosineSign;
      cosineSign = kept;
    }
  }
  store<f64>(off + low, copysign<f64>(sine * square, sign * load<f64>(off + low)));
  store<f64>(diagonal + low, shift + gamma);
  takeRoots(cosines + low, cosines + high);
  takeRoots(sines + low, sines + high);
}

function swapRows(a: usize, b: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    const kept = v128.load(a + i);
    v128.store(a + i, v128.load(b + i));
    v128.store(b + i, kept);
  }
}

/** Ascending eigenvalues, with their rows; equal ones keep their order as far as selection does. */
function sortAscending(diagonal: usize, e: usize, step: usize, n: i32): void {
  for (let i = 0; i < n - 1; i++) {
    let least = i;
    for (let j = i + 1; j < n; j++) {
      if (load<f64>(diagonal + ((<usize>j) << 3)) < load<f64>(diagonal + ((<usize>least) << 3))) least = j;
    }
    if (least == i) continue;
    const a = diagonal + ((<usize>i) << 3);
    const b = diagonal + ((<usize>least) << 3);
    const kept = load<f64>(a);
    store<f64>(a, load<f64>(b));
    store<f64>(b, kept);
    swapRows(e + <usize>i * step, e + <usize>least * step, step);
  }
}

/**
 * Decomposes A (lower triangle, n×n, rows of ld doubles, destroyed): `values` get the eigenvalues in ascending order,
 * row j of E the eigenvector of values[j]. `work` has 5·ld doubles. ld is even; columns n … ld − 1 of E become zero.
 *
 * @returns 1, or 0 when A has entries that are not finite; values and E are meaningless then.
 */
export function decompose(a: usize, e: usize, values: usize, work: usize, n: i32, ld: i32): i32 {
  const step = (<usize>ld) << 3;
  const off = work;
  const norms = work + step;
  const q = norms + step;
  const cosines = q + step;
  const sines = cosines + step;
  reduce(a, step, n, values, off, norms, q);
  accumulate(a, e, step, n, norms);
  for (let i = 1; i < n; i++) {
    const e = load<f64>(off + ((<usize>i) << 3));
    store<f64>(off + ((<usize>(i - 1)) << 3), e * Math.abs(e));
  }
  store<f64>(off + ((<usize>(n - 1)) << 3), 0.0);
  for (let l = 0; l < n; l++) {
    for (let sweeps = 0; ; sweeps++) {
      const m = splitAt(values, off, l, n);
      if (m == l) break;
      if (sweeps == MAX_SWEEPS) return 0;
      sweep(values, off, l, m, cosines, sines);
      rotate(e, step, l, m, cosines, sines);
    }
    const value = load<f64>(values + ((<usize>l) << 3));
    if (!(Math.abs(value) < Infinity)) return 0;
  }
  sortAscending(values, e, step, n);
  return 1;
}
