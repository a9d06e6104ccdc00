import { invertFactor, upperSquare } from '../linalg/cholesky.as';
import { Process, allocInverse } from './process.as';

/** Lower triangle of K_y⁻¹, from the factor. */
function invert(process: Process): void {
  invertFactor(process.factor, process.inverseFactor, process.order, process.step);
  upperSquare(process.inverseFactor, process.inverse, process.order, process.step);
}

/** weights[j] = (αᵢ·αⱼ − K⁻¹ᵢⱼ)·factors[j] for j < i; returns their sum. Zeros up to the end of the last pair. */
function weigh(alpha: usize, inverse: usize, factors: usize, row: i32, weights: usize): f64 {
  const own = load<f64>(alpha + ((<usize>row) << 3));
  const bytes = (<usize>row) << 3;
  const spread = f64x2.splat(own);
  let sums = f64x2.splat(0.0);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) {
    const difference = f64x2.sub(f64x2.mul(spread, v128.load(alpha + at)), v128.load(inverse + at));
    const weight = f64x2.mul(difference, v128.load(factors + at));
    v128.store(weights + at, weight);
    sums = f64x2.add(sums, weight);
  }
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  if (at < bytes) {
    const weight = (own * load<f64>(alpha + at) - load<f64>(inverse + at)) * load<f64>(factors + at);
    store<f64>(weights + at, weight);
    store<f64>(weights + at, 0.0, 8);
    sum += weight;
  }
  return sum;
}

/** Σ_j weights[j]·(x − z[j])² over pairs up to byte `to`. */
function weightedSquares(weights: usize, z: usize, x: f64, to: usize): f64 {
  const spread = f64x2.splat(x);
  let sums = f64x2.splat(0.0);
  for (let at: usize = 0; at < to; at += 16) {
    const difference = f64x2.sub(spread, v128.load(z + at));
    sums = f64x2.add(sums, f64x2.mul(v128.load(weights + at), f64x2.mul(difference, difference)));
  }
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
}

/**
 * The gradient of log p(y|X) in log σ_f², log σ_n² and log ℓ_d: ½·tr((α·αᵀ − K_y⁻¹)·∂K_y/∂θ), eq. 5.9 of Rasmussen & Williams.
 * K is symmetric, so each pair of rows counts once and the ½ falls away. A fitted mean adds nothing: it is where the
 * likelihood is flat in m. Needs `condition`; uses `whitened` as scratch space.
 */
export function differentiate(process: Process): void {
  invert(process);
  const rows = process.rows;
  const dimension = process.dimension;
  const step = process.step;
  const alpha = process.alpha;
  const gradient = process.gradient;
  const weights = process.whitened;
  memory.fill(gradient, 0, (<usize>(dimension + 2)) << 3);
  let ofSignal = 0.0;
  let trace = 0.0;
  for (let row = 0; row < rows; row++) {
    const offset = <usize>row * step;
    const here = (<usize>row) << 3;
    const own = load<f64>(alpha + here);
    const inverse = process.inverse + offset;
    trace += own * own - load<f64>(inverse + here);
    ofSignal += weigh(alpha, inverse, process.covariance + offset, row, weights);
    weigh(alpha, inverse, process.slope + offset, row, weights);
    const to = (<usize>((row + 1) & ~1)) << 3;
    for (let d = 0; d < dimension; d++) {
      const z = process.scaled + <usize>d * step;
      const place = gradient + ((<usize>(d + 2)) << 3);
      store<f64>(place, load<f64>(place) + weightedSquares(weights, z, load<f64>(z + here), to));
    }
  }
  store<f64>(gradient, ofSignal + 0.5 * process.signal() * trace);
  store<f64>(gradient, 0.5 * process.noise() * trace, 8);
}

/**
 * What the process says about each row from all others: mean and variance of y, eq. 5.12 of Rasmussen & Williams, noise included.
 * The parameters and the constant mean stay those of all rows.
 */
export function leaveOneOut(process: Process, mean: usize, variance: usize): void {
  allocInverse(process);
  invert(process);
  for (let row: usize = 0; row < <usize>process.rows; row++) {
    const here = row << 3;
    const precision = load<f64>(process.inverse + row * process.step + here);
    store<f64>(mean + here, load<f64>(process.targets + here) - load<f64>(process.alpha + here) / precision);
    store<f64>(variance + here, 1.0 / precision);
  }
}
