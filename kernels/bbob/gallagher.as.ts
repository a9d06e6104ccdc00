// Gallagher's Gaussian peaks, f21 (101 of them) and f22 (21) of RR-6829.
import { Problem, doubles } from './problem.as';
import { uniforms } from './random.as';
import { apply, get, oscillated, penalty, put } from './transforms.as';

/** Writes to `out` (n doubles) the index of the smallest of n numbers, of the next one, and so on. */
function ranking(values: usize, out: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    let place = i;
    for (; place > 0 && get(values, <i32>get(out, place - 1)) > get(values, i); place--)
      put(out, place, get(out, place - 1));
    put(out, place, <f64>i);
  }
}

/** Heights 10, then 1.1 … 9.1; condition numbers α drawn without replacement from 1000^(j/(peaks − 2)). */
function raise(problem: Problem, spare: usize, order: usize): void {
  const n = problem.peaks;
  const d = problem.d;
  const conditions = doubles(n);
  uniforms(spare, n - 1, problem.seed);
  ranking(spare, order, n - 1);
  put(problem.heights, 0, 10.0);
  put(conditions, 0, n == 101 ? Math.sqrt(1000.0) : 1000.0);
  for (let i = 1; i < n; i++) {
    put(problem.heights, i, (<f64>(i - 1) / <f64>(n - 2)) * 8.0 + 1.1);
    put(conditions, i, Math.pow(1000.0, get(order, i - 1) / <f64>(n - 2)));
  }
  for (let i = 0; i < n; i++) {
    uniforms(spare, d, problem.seed + 1000 * <i64>i);
    ranking(spare, order, d);
    for (let j = 0; j < d; j++) {
      const exponent = get(order, j) / <f64>(d - 1) - 0.5;
      put(problem.scales, i * d + j, Math.pow(get(conditions, i), exponent));
    }
  }
}

/** Peaks uniform on [−5, 5] (f21) or [−4.9, 4.9] (f22), the highest one within [−4, 4]; stored turned by R. */
function scatter(problem: Problem, spare: usize): void {
  const n = problem.peaks;
  const d = problem.d;
  const reach = n == 101 ? 5.0 : 4.9;
  uniforms(spare, n * d, problem.seed);
  for (let i = 0; i < n; i++) {
    const point = spare + ((<usize>i * <usize>d) << 3);
    for (let j = 0; j < d; j++) put(point, j, (2.0 * reach * get(point, j) - reach) * (i == 0 ? 0.8 : 1.0));
    apply(problem.q, point, problem.places + ((<usize>i * <usize>d) << 3), d);
  }
  memory.copy(problem.xopt, spare, (<usize>d) << 3);
}

export function addPeaks(problem: Problem, peaks: i32): void {
  const spare = doubles(peaks * problem.d);
  problem.peaks = peaks;
  problem.heights = doubles(peaks);
  problem.places = doubles(peaks * problem.d);
  problem.scales = doubles(peaks * problem.d);
  raise(problem, spare, doubles(max(peaks, problem.d)));
  scatter(problem, spare);
}

export function gallagher(problem: Problem, x: usize): f64 {
  const d = problem.d;
  const turned = problem.a;
  apply(problem.q, x, turned, d);
  let highest = 0.0;
  for (let i = 0; i < problem.peaks; i++) {
    let distance = 0.0;
    for (let j = 0; j < d; j++) {
      const apart = get(turned, j) - get(problem.places, i * d + j);
      distance += get(problem.scales, i * d + j) * apart * apart;
    }
    highest = max(highest, get(problem.heights, i) * Math.exp((-0.5 / <f64>d) * distance));
  }
  const depth = oscillated(10.0 - highest);
  return depth * depth + penalty(x, d);
}
