// Cholesky factors, triangular solves and inverses of symmetric positive definite matrices of doubles.
//
// Matrices are row-major, n×n with n a multiple of 4, `step` bytes from row to row, 16-byte aligned. Everything is made of
// scalar products of two rows, so that every inner loop runs along memory and nothing is packed. A product has two partial
// sums, of even and of odd places, each running upwards; blocks change which product comes first, never its order.

/** Columns that are finished before the next ones begin, in bytes: their 32 rows of the factor stay in the cache. */
const BLOCK_BYTES: usize = 256;

/** A pivot below this share of its diagonal entry is rounding noise: the matrix is not positive definite in doubles. */
const SMALLEST_PIVOT: f64 = 1e-15;

/** Products of four rows with two, row by row. */
const TILE: usize = memory.data(64, 16);

/** Both sums of `a` and both of `b`, added up, side by side. */
@inline
function pairSums(a: v128, b: v128): v128 {
  return f64x2.add(v128.shuffle<f64>(a, b, 0, 2), v128.shuffle<f64>(a, b, 1, 3));
}

/** TILE[r][c] = Σ a[r][k]·b[c][k] for 4 rows of a, 2 of b, and k from byte `from` to byte `to`, both multiples of 16. */
function rowProducts(a: usize, b: usize, step: usize, from: usize, to: usize): void {
  const aEnd = a + to;
  const second = b + step;
  let s00 = f64x2.splat(0.0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  let a0 = a + from;
  let a1 = a0 + step;
  let a2 = a1 + step;
  let a3 = a2 + step;
  let b0 = b + from;
  let b1 = second + from;
  for (; a0 < aEnd; a0 += 16) {
    const y0 = v128.load(b0);
    const y1 = v128.load(b1);
    let x = v128.load(a0);
    s00 = f64x2.add(s00, f64x2.mul(x, y0));
    s01 = f64x2.add(s01, f64x2.mul(x, y1));
    x = v128.load(a1);
    s10 = f64x2.add(s10, f64x2.mul(x, y0));
    s11 = f64x2.add(s11, f64x2.mul(x, y1));
    x = v128.load(a2);
    s20 = f64x2.add(s20, f64x2.mul(x, y0));
    s21 = f64x2.add(s21, f64x2.mul(x, y1));
    x = v128.load(a3);
    s30 = f64x2.add(s30, f64x2.mul(x, y0));
    s31 = f64x2.add(s31, f64x2.mul(x, y1));
    a1 += 16;
    a2 += 16;
    a3 += 16;
    b0 += 16;
    b1 += 16;
  }
  v128.store(TILE, pairSums(s00, s01));
  v128.store(TILE, pairSums(s10, s11), 16);
  v128.store(TILE, pairSums(s20, s21), 32);
  v128.store(TILE, pairSums(s30, s31), 48);
}

/**
 * Forward substitution in four rows of X at once, for the columns from byte `first` to byte `end`:
 * X[r][j] ← (X[r][j] − Σ_k X[r][k]·L[j][k]) / L[j][j], k from byte `from` up to j.
 */
function solveTile(l: usize, x: usize, step: usize, from: usize, first: usize, end: usize): void {
  for (let at = first; at < end; at += 16) {
    const upper = l + (at >> 3) * step;
    const lower = upper + step + at;
    rowProducts(x, upper, step, from, at);
    const pivots = v128.load64_splat(upper + at);
    const across = load<f64>(lower);
    const pivot = load<f64>(lower, 8);
    let place = x + at;
    for (let tile = TILE; tile < TILE + 64; tile += 16) {
      const rest = f64x2.sub(v128.load(place), v128.load(tile));
      const solved = f64x2.extract_lane(f64x2.div(rest, pivots), 0);
      store<f64>(place, solved);
      store<f64>(place, (f64x2.extract_lane(rest, 1) - solved * across) / pivot, 8);
      place += step;
    }
  }
}

/** What is left of a 4×4 block on the diagonal once the columns before it are known. */
function subtractProducts(x: usize, step: usize, at: usize): void {
  for (let column: usize = 0; column < 32; column += 16) {
    rowProducts(x, x + (column >> 3) * step, step, 0, at);
    let place = x + at + column;
    for (let tile = TILE; tile < TILE + 64; tile += 16) {
      v128.store(place, f64x2.sub(v128.load(place), v128.load(tile)));
      place += step;
    }
  }
}

/** Factorises a 4×4 block on the diagonal; zeros above it. Returns false when it is not positive definite. */
function factorTile(x: usize, step: usize, at: usize): bool {
  const d0 = load<f64>(x + at);
  const d1 = load<f64>(x + step + at, 8);
  const d2 = load<f64>(x + 2 * step + at, 16);
  const d3 = load<f64>(x + 3 * step + at, 24);
  subtractProducts(x, step, at);
  for (let j: usize = 0; j < 4; j++) {
    const row = x + j * step + at;
    let pivot = load<f64>(row + (j << 3));
    for (let k: usize = 0; k < j; k++) pivot -= load<f64>(row + (k << 3)) * load<f64>(row + (k << 3));
    const diagonal = j == 0 ? d0 : j == 1 ? d1 : j == 2 ? d2 : d3;
    if (!(pivot > SMALLEST_PIVOT * diagonal && pivot < Infinity)) return false;
    pivot = Math.sqrt(pivot);
    store<f64>(row + (j << 3), pivot);
    for (let i = j + 1; i < 4; i++) {
      const below = x + i * step + at;
      let value = load<f64>(below + (j << 3));
      for (let k: usize = 0; k < j; k++) value -= load<f64>(below + (k << 3)) * load<f64>(row + (k << 3));
      store<f64>(below + (j << 3), value / pivot);
      store<f64>(row + (i << 3), 0.0);
    }
  }
  return true;
}

/** Replaces the lower triangle of A by L with L·Lᵀ = A. Returns 0 when A is not positive definite; L is rubbish then. */
export function cholesky(a: usize, n: i32, step: usize): i32 {
  const bytes = (<usize>n) << 3;
  for (let block: usize = 0; block < bytes; block += BLOCK_BYTES) {
    const end = min(block + BLOCK_BYTES, bytes);
    for (let row = block; row < bytes; row += 32) {
      const x = a + (row >> 3) * step;
      solveTile(a, x, step, 0, block, min(row, end));
      if (row < end && !factorTile(x, step, row)) return 0;
    }
  }
  return 1;
}

/** X ← X·L⁻ᵀ, that is L⁻¹ times each row of X[rows×n], rows a multiple of 4. */
export function solveRows(l: usize, x: usize, rows: i32, n: i32, step: usize): void {
  const bytes = (<usize>n) << 3;
  for (let block: usize = 0; block < bytes; block += BLOCK_BYTES) {
    const end = min(block + BLOCK_BYTES, bytes);
    for (let row = 0; row < rows; row += 4) solveTile(l, x + <usize>row * step, step, 0, block, end);
  }
}

/** U = L⁻ᵀ, upper triangular, with zeros below. */
export function invertFactor(l: usize, u: usize, n: i32, step: usize): void {
  const bytes = (<usize>n) << 3;
  for (let row: usize = 0; row < <usize>n; row++) {
    memory.fill(u + row * step, 0, bytes);
    store<f64>(u + row * step + (row << 3), 1.0);
  }
  for (let block: usize = 0; block < bytes; block += BLOCK_BYTES) {
    const end = min(block + BLOCK_BYTES, bytes);
    for (let row: usize = 0; row < end; row += 32) {
      solveTile(l, u + (row >> 3) * step, step, row, max(row, block), end);
    }
  }
}

/** The lower triangle of U·Uᵀ for upper triangular U; with U = L⁻ᵀ that is (L·Lᵀ)⁻¹. */
export function upperSquare(u: usize, product: usize, n: i32, step: usize): void {
  const bytes = (<usize>n) << 3;
  for (let block: usize = 0; block < bytes; block += BLOCK_BYTES) {
    for (let row = block; row < bytes; row += 32) {
      const x = u + (row >> 3) * step;
      const end = min(block + BLOCK_BYTES, row + 32);
      for (let column = block; column < end; column += 16) {
        rowProducts(x, u + (column >> 3) * step, step, row, bytes);
        storeTile(product + (row >> 3) * step + column, step);
      }
    }
  }
}

/** The lower triangle of A − X·Xᵀ in place of A, for X[n×k], k and n multiples of 4. */
export function subtractSquare(a: usize, n: i32, step: usize, x: usize, k: i32, xStep: usize): void {
  const kBytes = (<usize>k) << 3;
  for (let row: usize = 0; row < <usize>n; row += 4) {
    for (let column: usize = 0; column < row + 4; column += 2) {
      rowProducts(x + row * xStep, x + column * xStep, xStep, 0, kBytes);
      let place = a + row * step + (column << 3);
      for (let tile = TILE; tile < TILE + 64; tile += 16) {
        v128.store(place, f64x2.sub(v128.load(place), v128.load(tile)));
        place += step;
      }
    }
  }
}

function storeTile(place: usize, step: usize): void {
  for (let tile = TILE; tile < TILE + 64; tile += 16) {
    v128.store(place, v128.load(tile));
    place += step;
  }
}

/** x ← L⁻ᵀ·x for one vector, from the last place to the first. */
export function solveTransposed(l: usize, x: usize, n: i32, step: usize): void {
  for (let row = n - 1; row >= 0; row--) {
    const line = l + <usize>row * step;
    const here = (<usize>row) << 3;
    const value = load<f64>(x + here) / load<f64>(line + here);
    store<f64>(x + here, value);
    const factor = f64x2.splat(value);
    let at: usize = 0;
    for (; at + 16 <= here; at += 16) {
      v128.store(x + at, f64x2.sub(v128.load(x + at), f64x2.mul(factor, v128.load(line + at))));
    }
    if (at < here) store<f64>(x + at, load<f64>(x + at) - value * load<f64>(line + at));
  }
}
