import { gaussians, rotation, uniforms } from './random.as';
import { get, powers, put } from './transforms.as';

/** One function in one instance and dimension, with all that its evaluation needs. */
@unmanaged
export class Problem {
  id: i32;
  d: i32;
  seed: i64;
  fopt: f64;
  /** Peaks of f21 and f22. */
  peaks: i32;
  xopt: usize;
  /** R and Q of the report, d×d. */
  r: usize;
  q: usize;
  /** R·Λ·Q, d×d. */
  m: usize;
  /** Diagonal of Λ, or weights of the sum. */
  factors: usize;
  /** f21, f22: heights (peaks), places and scales (peaks×d). */
  heights: usize;
  places: usize;
  scales: usize;
  /** Vectors for evaluations. */
  a: usize;
  b: usize;
}

const MILLION: i64 = 1000000;

export function doubles(n: i32): usize {
  const pointer = heap.alloc((<usize>n) << 3);
  memory.fill(pointer, 0, (<usize>n) << 3);
  return pointer;
}

/** f4 has the instances of f3, and f18 those of f17. */
function seedOf(id: i32, instance: i32): i64 {
  const like = id == 4 ? 3 : id == 18 ? 17 : id;
  return <i64>like + 10000 * <i64>instance;
}

/** f_opt: a ratio of two normal numbers, to two decimals, within ±1000. */
function optimalValue(id: i32, instance: i32): f64 {
  const spare = doubles(4);
  const seed = seedOf(id, instance);
  gaussians(spare, spare + 8, 1, seed);
  const numerator = load<f64>(spare);
  gaussians(spare, spare + 8, 1, seed + 1);
  const value = Math.floor((100.0 * 100.0 * numerator) / load<f64>(spare) + 0.5) / 100.0;
  return min(1000.0, max(-1000.0, value));
}

/** x_opt: uniform on [−4, 4], to four decimals, never 0. */
function optimalPoint(out: usize, d: i32, seed: i64): void {
  uniforms(out, d, seed);
  for (let i = 0; i < d; i++) {
    const value = (8.0 * Math.floor(1e4 * get(out, i))) / 1e4 - 4.0;
    put(out, i, value == 0.0 ? -1e-5 : value);
  }
}

/** m = r·diag(factors)·q */
function compose(problem: Problem): void {
  const d = problem.d;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      let sum = 0.0;
      for (let k = 0; k < d; k++)
        sum += get(problem.r, i * d + k) * get(problem.factors, k) * get(problem.q, k * d + j);
      put(problem.m, i * d + j, sum);
    }
  }
}

/** Base of the diagonal of Λ: √α for Λ^α. For sums with weights, the base of the weights. */
function baseOf(id: i32): f64 {
  switch (id) {
    case 2:
    case 10:
      return 1e6;
    case 5:
    case 23:
    case 24:
      return 10.0;
    case 16:
      return 0.1;
    case 18:
      return Math.sqrt(1000.0);
    default:
      return Math.sqrt(10.0);
  }
}

/** Where the optimum is moved to for the functions that say so themselves. */
function adjustOptimum(problem: Problem, spare: usize): void {
  const d = problem.d;
  const xopt = problem.xopt;
  const factor = max(1.0, Math.sqrt(<f64>d) / 8.0);
  if (problem.id == 12) optimalPoint(xopt, d, problem.seed + MILLION);
  if (problem.id == 20) uniforms(spare, d, problem.seed);
  if (problem.id == 24) gaussians(spare, spare + ((<usize>d) << 3), d, problem.seed);
  for (let i = 0; i < d; i++) {
    const value = get(xopt, i);
    switch (problem.id) {
      case 4:
        if (i % 2 == 0) put(xopt, i, Math.abs(value));
        break;
      case 5:
        put(xopt, i, value < 0.0 ? -5.0 : 5.0);
        break;
      case 8:
        put(xopt, i, 0.75 * value);
        break;
      case 9:
      case 19: {
        let sum = 0.0;
        for (let k = 0; k < d; k++) sum += get(problem.q, k * d + i);
        put(xopt, i, sum / (2.0 * factor));
        break;
      }
      case 20:
        put(xopt, i, (get(spare, i) < 0.5 ? -0.5 : 0.5) * 4.2096874637);
        break;
      case 24:
        put(xopt, i, get(spare, i) < 0.0 ? -1.25 : 1.25);
        break;
    }
  }
}

/** The problem of COCO's suite "bbob" with these three numbers; f21 and f22 still lack their peaks. */
export function build(id: i32, instance: i32, d: i32): Problem {
  const problem = changetype<Problem>(heap.alloc(offsetof<Problem>()));
  const spare = doubles(3 * d * d + 3 * d);
  problem.id = id;
  problem.d = d;
  problem.seed = seedOf(id, instance);
  problem.fopt = optimalValue(id, instance);
  problem.peaks = 0;
  problem.xopt = doubles(d);
  problem.r = doubles(d * d);
  problem.q = doubles(d * d);
  problem.m = doubles(d * d);
  problem.factors = doubles(d);
  problem.a = doubles(d);
  problem.b = doubles(d);
  rotation(problem.r, spare, d, problem.seed + MILLION);
  rotation(problem.q, spare, d, problem.seed);
  powers(problem.factors, baseOf(id), d);
  compose(problem);
  optimalPoint(problem.xopt, d, problem.seed);
  adjustOptimum(problem, spare);
  return problem;
}
