import { cholesky, solveRows, solveTransposed } from '../linalg/cholesky.as';
import { alloc } from '../runtime/memory.as';
import { squaredDistances, toCovariances, toCovariancesWithSlopes } from './covariance.as';

const LOG_2PI: f64 = 1.8378770664093453;

/**
 * A Gaussian process on N rows of D inputs with one target. Rows are padded to `order`, a multiple of 4: a padding row has no
 * covariance with any other, variance 1 and target 0, so that nothing depends on it.
 */
@unmanaged
export class Process {
  rows: i32;
  order: i32;
  dimension: i32;
  kind: i32;
  training: bool;
  /** Bytes from row to row of the matrices, and from input to input of `inputs` and `scaled`. */
  step: usize;
  /** D×order, and the same divided by the length scales. */
  inputs: usize;
  scaled: usize;
  /** y. */
  targets: usize;
  /** σ_f², σ_n², ℓ_1 … ℓ_D. */
  parameters: usize;
  /** ∂ log p(y|X)/∂ of the logarithms of the parameters. */
  gradient: usize;
  /** One row of `scaled`, as D numbers side by side. */
  point: usize;
  /** Lower triangle of K_f. */
  covariance: usize;
  /** Lower triangle of g, see `toCovariancesWithSlopes`. */
  slope: usize;
  /** L. */
  factor: usize;
  /** L⁻ᵀ and the lower triangle of K_y⁻¹. */
  inverseFactor: usize;
  inverse: usize;
  /** Four rows: L⁻¹·y, L⁻¹·1, and two of zeros. */
  whitened: usize;
  /** α = K_y⁻¹·(y − m). */
  alpha: usize;
  /** m, the constant mean. */
  mean: f64;
  /** log p(y|X). */
  likelihood: f64;
  /** What stands on the diagonal besides σ_f²: σ_n² and the jitter. */
  diagonal: f64;

  signal(): f64 {
    return load<f64>(this.parameters);
  }

  noise(): f64 {
    return load<f64>(this.parameters, 8);
  }

  lengthScale(d: i32): f64 {
    return load<f64>(this.parameters + ((<usize>(d + 2)) << 3));
  }
}

export function newProcess(rows: i32, dimension: i32, kind: i32, training: bool): Process {
  const process = changetype<Process>(alloc(offsetof<Process>()));
  const order = (rows + 3) & ~3;
  const step = (<usize>order) << 3;
  process.rows = rows;
  process.order = order;
  process.dimension = dimension;
  process.kind = kind;
  process.training = training;
  process.step = step;
  process.inputs = alloc(<usize>dimension * step);
  process.scaled = alloc(<usize>dimension * step);
  process.targets = alloc(step);
  process.parameters = alloc((<usize>(dimension + 2)) << 3);
  process.gradient = alloc((<usize>(dimension + 2)) << 3);
  process.point = alloc((<usize>dimension) << 3);
  process.whitened = alloc(4 * step);
  process.alpha = alloc(step);
  const matrix = <usize>order * step;
  process.factor = alloc(matrix);
  // Whoever predicts conditions once, so that L may take the place of K_f.
  process.covariance = training ? alloc(matrix) : process.factor;
  if (training) {
    process.slope = alloc(matrix);
    allocInverse(process);
  }
  return process;
}

/** Room for the inverse, which only some of those who predict need. */
export function allocInverse(process: Process): void {
  if (process.inverse != 0) return;
  const matrix = <usize>process.order * process.step;
  process.inverseFactor = alloc(matrix);
  process.inverse = alloc(matrix);
}

function scaleInputs(process: Process): void {
  for (let d = 0; d < process.dimension; d++) {
    const length = f64x2.splat(process.lengthScale(d));
    const offset = <usize>d * process.step;
    for (let at = offset; at < offset + process.step; at += 16) {
      v128.store(process.scaled + at, f64x2.div(v128.load(process.inputs + at), length));
    }
  }
}

/** Copies row `row` of the scaled inputs to `point`. */
function gatherPoint(process: Process, row: i32): void {
  let from = process.scaled + ((<usize>row) << 3);
  for (let d: usize = 0; d < <usize>process.dimension; d++) {
    store<f64>(process.point + (d << 3), load<f64>(from));
    from += process.step;
  }
}

function padRow(process: Process, matrix: usize, row: i32): void {
  memory.fill(matrix + <usize>row * process.step, 0, process.step);
}

/** K_f, and its slopes for training. Entries right of the diagonal block are left alone. */
export function fillCovariance(process: Process): void {
  scaleInputs(process);
  const rows = process.rows;
  const order = process.order;
  const step = process.step;
  const kind = process.kind;
  for (let row = 0; row < rows; row++) {
    const line = process.covariance + <usize>row * step;
    const to = (<usize>((row + 4) & ~3)) << 3;
    gatherPoint(process, row);
    squaredDistances(process.point, process.scaled, process.dimension, step, to, line);
    if (process.training) {
      toCovariancesWithSlopes(kind, process.signal(), line, process.slope + <usize>row * step, to);
    } else {
      toCovariances(kind, process.signal(), line, to);
    }
  }
  for (let row = rows; row < order; row++) {
    padRow(process, process.covariance, row);
    if (process.training) padRow(process, process.slope, row);
  }
}

function factorise(process: Process): i32 {
  const rows = process.rows;
  const order = process.order;
  const step = process.step;
  const factor = process.factor;
  for (let row = 0; row < order; row++) {
    const offset = <usize>row * step;
    const bytes = (<usize>((row + 4) & ~3)) << 3;
    memory.copy(factor + offset, process.covariance + offset, bytes);
    const place = factor + offset + ((<usize>row) << 3);
    store<f64>(place, row < rows ? load<f64>(place) + process.diagonal : 1.0);
  }
  return cholesky(factor, order, step);
}

/** Σ aᵢ·bᵢ over the padded rows. */
function dot(process: Process, a: usize, b: usize): f64 {
  let sum = f64x2.splat(0.0);
  for (let at: usize = 0; at < process.step; at += 16) {
    sum = f64x2.add(sum, f64x2.mul(v128.load(a + at), v128.load(b + at)));
  }
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** L⁻¹·y and L⁻¹·1. */
function whiten(process: Process): void {
  const step = process.step;
  const whitened = process.whitened;
  memory.fill(whitened, 0, 4 * step);
  memory.copy(whitened, process.targets, step);
  for (let row: usize = 0; row < <usize>process.rows; row++) store<f64>(whitened + step + (row << 3), 1.0);
  solveRows(process.factor, whitened, 4, process.order, step);
}

/**
 * Algorithm 2.1 of Rasmussen & Williams from `covariance` on: L, α and log p(y|X).
 *
 * `fitMean` chooses m with the greatest likelihood, 1ᵀK_y⁻¹y / 1ᵀK_y⁻¹1 (eq. 2.41 ff. with one constant basis function and a
 * flat prior, without that prior's term); otherwise m is 0. Returns 0 when K_y is not positive definite.
 */
export function condition(process: Process, fitMean: bool, jitter: f64): i32 {
  process.diagonal = process.noise() + jitter;
  if (!factorise(process)) return 0;
  whiten(process);
  const rows = process.rows;
  const step = process.step;
  const whitened = process.whitened;
  const alpha = process.alpha;
  const factor = process.factor;
  const ones = whitened + step;
  process.mean = fitMean ? dot(process, whitened, ones) / dot(process, ones, ones) : 0.0;
  const shift = f64x2.splat(process.mean);
  for (let at: usize = 0; at < step; at += 16) {
    v128.store(alpha + at, f64x2.sub(v128.load(whitened + at), f64x2.mul(shift, v128.load(ones + at))));
  }
  let likelihood = -0.5 * dot(process, alpha, alpha) - 0.5 * <f64>rows * LOG_2PI;
  for (let row = 0; row < rows; row++) {
    likelihood -= Math.log(load<f64>(factor + <usize>row * step + ((<usize>row) << 3)));
  }
  process.likelihood = likelihood;
  solveTransposed(factor, alpha, process.order, step);
  return 1;
}
