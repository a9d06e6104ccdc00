import { math } from '../math/index.ts';
import { naturalLog } from '../rng/index.ts';
import { KernelInputError, instantiate, requireFiniteArray, requireNumber } from '../runtime/index.ts';
import type { CmaOptions } from './contract.ts';
import { spread } from './fields.ts';

export interface WarmStartOptions {
  /** Share of the solutions, the best ones, that count; at least one does. Default 0.1. */
  readonly gamma?: number;
  /** Standard deviation of the normal distribution around each of them, in units of `ranges`. Default 0.1. */
  readonly alpha?: number;
  /** Width of the region of interest by variable, one for all or d of them. Default 1. */
  readonly ranges?: number | readonly number[];
}

/** Σ log of the diagonal of the Cholesky factor of a positive definite matrix: half of log det. */
function halfLogDeterminant(matrix: readonly (readonly number[])[]): number {
  const factor: number[][] = [];
  let sum = 0;
  matrix.forEach((row, i) => {
    const current: number[] = [];
    for (let j = 0; j <= i; j++) {
      let rest = row[j] ?? NaN;
      const other = factor[j] ?? current;
      for (let k = 0; k < j; k++) rest -= (current[k] ?? NaN) * (other[k] ?? NaN);
      current.push(i === j ? Math.sqrt(rest) : rest / (other[j] ?? NaN));
    }
    factor.push(current);
    sum += naturalLog(current[i] ?? NaN);
  });
  return sum;
}

/**
 * Where to begin when a similar problem has been solved before: the normal distribution nearest to the mixture of normal
 * distributions around its best solutions, as x0, sigma0 and `cov` with determinant 1 (WS-CMA-ES: Nomura, Watanabe,
 * Akimoto, Ozaki, Onishi, arXiv:2012.06932, equations 9 and 10).
 *
 * @param solutions points of the earlier problem, d numbers each.
 * @param values their objective values, to be minimised; NaN ranks last.
 * @throws KernelInputError naming what does not fit.
 */
export function warmStart(
  module: WebAssembly.Module,
  solutions: readonly ArrayLike<number>[],
  values: ArrayLike<number>,
  options: WarmStartOptions = {},
): Pick<CmaOptions, 'x0' | 'sigma0' | 'cov'> {
  const d = solutions[0]?.length ?? 0;
  if (d === 0) throw new KernelInputError('solutions', 'points of at least one variable', solutions);
  if (values.length !== solutions.length) {
    throw new KernelInputError('values', `${solutions.length} numbers`, values);
  }
  solutions.forEach((point, k) => requireFiniteArray(`solutions[${k}]`, point, d));
  const gamma = requireNumber('gamma', options.gamma ?? 0.1, { min: 0, max: 1, above: true });
  const alpha = requireNumber('alpha', options.alpha ?? 0.1, { min: 0, above: true });
  const ranges = spread('ranges', options.ranges, d, 0, () => 1);
  ranges.forEach((width, i) => requireNumber(`ranges[${i}]`, width, { min: 0, above: true }));
  const rank = (k: number): number => (Number.isNaN(values[k]) ? Infinity : (values[k] ?? Infinity));
  const order = solutions.map((_, k) => k).sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : a - b));
  const best = order.slice(0, Math.max(1, Math.floor(gamma * solutions.length)));
  const entry = (k: number, i: number): number => solutions[k]?.[i] ?? NaN;
  const average = (f: (k: number) => number): number => best.reduce((sum, k) => sum + f(k), 0) / best.length;
  const x0 = ranges.map((_, i) => average((k) => entry(k, i)));
  const covariance = x0.map((mi, i) =>
    x0.map((mj, j) => {
      const own = i === j ? alpha * alpha * (ranges[i] ?? NaN) * (ranges[i] ?? NaN) : 0;
      return own + average((k) => (entry(k, i) - mi) * (entry(k, j) - mj));
    }),
  );
  const sigma0 = math(instantiate(module)).exp(halfLogDeterminant(covariance) / d);
  return { x0, sigma0, cov: covariance.map((row) => row.map((value) => value / (sigma0 * sigma0))) };
}
