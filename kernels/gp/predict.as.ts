import { cholesky, solveRows, subtractSquare } from '../linalg/cholesky.as';
import { squaredDistances, toCovariances } from './covariance.as';
import { Process } from './process.as';

/** Divides one row of x by the length scales, into `point`. */
function scalePoint(process: Process, x: usize): void {
  for (let d: usize = 0; d < <usize>process.dimension; d++) {
    store<f64>(process.point + (d << 3), load<f64>(x + (d << 3)) / process.lengthScale(<i32>d));
  }
}

/** m + Σ k*ᵢ·αᵢ. */
function predictMean(process: Process, line: usize): f64 {
  let sums = f64x2.splat(0.0);
  for (let at: usize = 0; at < process.step; at += 16) {
    sums = f64x2.add(sums, f64x2.mul(v128.load(line + at), v128.load(process.alpha + at)));
  }
  return process.mean + (f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1));
}

function squaredNorm(line: usize, step: usize): f64 {
  let sums = f64x2.splat(0.0);
  for (let at: usize = 0; at < step; at += 16) {
    const v = v128.load(line + at);
    sums = f64x2.add(sums, f64x2.mul(v, v));
  }
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}

/**
 * Means of f at x[count×D], and V = (L⁻¹·k*)ᵀ, one row of `order` numbers for each point; rows up to a multiple of 4 become
 * zero. A point's bits do not depend on its neighbours. Lines 4 and 5 of algorithm 2.1 of Rasmussen & Williams.
 */
function whitenPoints(process: Process, x: usize, count: i32, v: usize, mean: usize): void {
  const step = process.step;
  const order = process.order;
  const rows = process.rows;
  for (let row = 0; row < count; row++) {
    const line = v + <usize>row * step;
    scalePoint(process, x + <usize>row * ((<usize>process.dimension) << 3));
    squaredDistances(process.point, process.scaled, process.dimension, step, step, line);
    toCovariances(process.kind, process.signal(), line, step);
    for (let pad = rows; pad < order; pad++) store<f64>(line + ((<usize>pad) << 3), 0.0);
    store<f64>(mean + ((<usize>row) << 3), predictMean(process, line));
  }
  const padded = (count + 3) & ~3;
  for (let row = count; row < padded; row++) memory.fill(v + <usize>row * step, 0, step);
  solveRows(process.factor, v, padded, order, step);
}

/** Means and variances of f at x[count×D]; line 6 of algorithm 2.1. v: room for `count` rows, rounded up to 4s. */
export function predict(process: Process, x: usize, count: i32, v: usize, mean: usize, variance: usize): void {
  whitenPoints(process, x, count, v, mean);
  const step = process.step;
  for (let row = 0; row < count; row++) {
    const left = process.signal() - squaredNorm(v + <usize>row * step, step);
    store<f64>(variance + ((<usize>row) << 3), max(left, 0.0));
  }
}

/** z[D×padded] = x[count×D] divided by the length scales, turned so that each input has a row. */
function scaleColumns(process: Process, x: usize, count: i32, step: usize, z: usize): void {
  for (let row = 0; row < count; row++) {
    scalePoint(process, x + <usize>row * ((<usize>process.dimension) << 3));
    for (let d: usize = 0; d < <usize>process.dimension; d++) {
      store<f64>(z + d * step + ((<usize>row) << 3), load<f64>(process.point + (d << 3)));
    }
  }
}

/**
 * Means and covariances of f at x[count×D], eq. 2.24: the lower triangle of a matrix of `padded` rows, count rounded up to a
 * multiple of 4; padding rows have variance 1. v: padded×order, z: D×padded.
 */
export function posterior(process: Process, x: usize, count: i32, v: usize, z: usize, mean: usize, covariance: usize): void {
  const padded = (count + 3) & ~3;
  const step = (<usize>padded) << 3;
  whitenPoints(process, x, count, v, mean);
  scaleColumns(process, x, count, step, z);
  for (let row = 0; row < padded; row++) {
    const line = covariance + <usize>row * step;
    if (row < count) {
      scalePoint(process, x + <usize>row * ((<usize>process.dimension) << 3));
      squaredDistances(process.point, z, process.dimension, step, step, line);
      toCovariances(process.kind, process.signal(), line, step);
    } else {
      memory.fill(line, 0, step);
      store<f64>(line + ((<usize>row) << 3), 1.0);
    }
  }
  subtractSquare(covariance, padded, step, v, process.order, process.step);
}

/** L·Lᵀ = covariance + jitter on the diagonal of the first `count` rows, in `factor`. Returns 0 when there is none. */
export function factorPosterior(covariance: usize, count: i32, jitter: f64, factor: usize): i32 {
  const padded = (count + 3) & ~3;
  const step = (<usize>padded) << 3;
  memory.copy(factor, covariance, <usize>padded * step);
  for (let row = 0; row < count; row++) {
    const place = factor + <usize>row * step + ((<usize>row) << 3);
    store<f64>(place, load<f64>(place) + jitter);
  }
  return cholesky(factor, padded, step);
}

/** out = mean + L·z for `count` numbers. */
export function drawSample(factor: usize, count: i32, mean: usize, z: usize, out: usize): void {
  const step = (<usize>((count + 3) & ~3)) << 3;
  for (let row = 0; row < count; row++) {
    const line = factor + <usize>row * step;
    let sum = load<f64>(mean + ((<usize>row) << 3));
    for (let k: usize = 0; k <= <usize>row; k++) sum += load<f64>(line + (k << 3)) * load<f64>(z + (k << 3));
    store<f64>(out + ((<usize>row) << 3), sum);
  }
}
