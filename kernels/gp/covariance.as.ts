// Stationary covariance functions with one length scale for each input (automatic relevance determination), Rasmussen &
// Williams 2006, eq. 4.9, 4.17 and 5.2: k(x, x′) = σ_f²·c(r), r² = Σ_d ((x_d − x′_d)/ℓ_d)².

const MATERN_52: i32 = 0;
const MATERN_32: i32 = 1;
const RBF: i32 = 2;

const SQRT_3: f64 = 1.7320508075688772;
const SQRT_5: f64 = 2.23606797749979;

/**
 * out[j] = Σ_d (point[d] − z[d][j])² for the columns from byte 0 to byte `to`, a multiple of 32. z has one row for each of
 * D inputs, `step` bytes apart.
 */
export function squaredDistances(point: usize, z: usize, dimension: i32, step: usize, to: usize, out: usize): void {
  const end = point + ((<usize>dimension) << 3);
  for (let at: usize = 0; at < to; at += 32) {
    let left = f64x2.splat(0.0);
    let right = left;
    let column = z + at;
    for (let p = point; p < end; p += 8) {
      const x = v128.load64_splat(p);
      const a = f64x2.sub(x, v128.load(column));
      const b = f64x2.sub(x, v128.load(column, 16));
      left = f64x2.add(left, f64x2.mul(a, a));
      right = f64x2.add(right, f64x2.mul(b, b));
      column += step;
    }
    v128.store(out + at, left);
    v128.store(out + at, right, 16);
  }
}

/** Squared distances become covariances, in place. */
export function toCovariances(kind: i32, signal: f64, row: usize, to: usize): void {
  const end = row + to;
  if (kind == MATERN_52) {
    for (; row < end; row += 8) {
      const s = SQRT_5 * Math.sqrt(load<f64>(row));
      store<f64>(row, signal * (1.0 + s * (1.0 + s / 3.0)) * Math.exp(-s));
    }
  } else if (kind == MATERN_32) {
    for (; row < end; row += 8) {
      const s = SQRT_3 * Math.sqrt(load<f64>(row));
      store<f64>(row, signal * (1.0 + s) * Math.exp(-s));
    }
  } else {
    for (; row < end; row += 8) store<f64>(row, signal * Math.exp(-0.5 * load<f64>(row)));
  }
}

/**
 * As `toCovariances`, and the slopes g in `slope`: ∂k/∂log ℓ_d = g·((x_d − x′_d)/ℓ_d)². The covariances have the same bits.
 */
export function toCovariancesWithSlopes(kind: i32, signal: f64, row: usize, slope: usize, to: usize): void {
  const end = row + to;
  if (kind == MATERN_52) {
    for (; row < end; row += 8, slope += 8) {
      const s = SQRT_5 * Math.sqrt(load<f64>(row));
      const e = Math.exp(-s);
      store<f64>(row, signal * (1.0 + s * (1.0 + s / 3.0)) * e);
      store<f64>(slope, signal * (5.0 / 3.0) * (1.0 + s) * e);
    }
  } else if (kind == MATERN_32) {
    for (; row < end; row += 8, slope += 8) {
      const s = SQRT_3 * Math.sqrt(load<f64>(row));
      const e = Math.exp(-s);
      store<f64>(row, signal * (1.0 + s) * e);
      store<f64>(slope, 3.0 * signal * e);
    }
  } else {
    for (; row < end; row += 8, slope += 8) {
      const value = signal * Math.exp(-0.5 * load<f64>(row));
      store<f64>(row, value);
      store<f64>(slope, value);
    }
  }
}
