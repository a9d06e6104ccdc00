/**
 * Gaussian process regression in f64, straight from Rasmussen & Williams 2006 with the symbols of the book. For tests: matrices are
 * lists of rows, and the host's mathematics is allowed.
 */
import type { Covariance, Hyperparameters } from './contract.ts';

type Vector = readonly number[];
type Matrix = readonly Vector[];

const at = (v: Vector | undefined, i: number): number => v?.[i] ?? NaN;
const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * at(b, i), 0);

/** k(x, x′), eq. 4.17 (Matérn) and 4.9 (squared exponential) with r² = Σ((x_d − x′_d)/ℓ_d)². */
export function k(kind: Covariance, { signalVariance, lengthScales }: Hyperparameters, x: Vector, y: Vector): number {
  const r = Math.sqrt(x.reduce((sum, value, d) => sum + ((value - at(y, d)) / at(lengthScales, d)) ** 2, 0));
  switch (kind) {
    case 'matern32':
      return signalVariance * (1 + Math.sqrt(3) * r) * Math.exp(-Math.sqrt(3) * r);
    case 'matern52':
      return signalVariance * (1 + Math.sqrt(5) * r + (5 * r * r) / 3) * Math.exp(-Math.sqrt(5) * r);
    case 'rbf':
      return signalVariance * Math.exp(-0.5 * r * r);
  }
}

/** L with L·Lᵀ = A, section A.4. */
function choleskyFactor(a: Matrix): number[][] {
  const l: number[][] = [];
  a.forEach((row, i) => {
    const line: number[] = [];
    for (let j = 0; j <= i; j++) {
      const sum = at(row, j) - dot(line.slice(0, j), (l[j] ?? line).slice(0, j));
      line.push(j === i ? Math.sqrt(sum) : sum / at(l[j], j));
    }
    l.push(line);
  });
  return l;
}

/** L \ b */
function solveLower(l: Matrix, b: Vector): number[] {
  const x: number[] = [];
  l.forEach((row, i) => x.push((at(b, i) - dot(x, row.slice(0, i))) / at(row, i)));
  return x;
}

/** Lᵀ \ b */
function solveUpper(l: Matrix, b: Vector): number[] {
  const x = [...b];
  for (let i = l.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < l.length; j++) x[i] = at(x, i) - at(l[j], i) * at(x, j);
    x[i] = at(x, i) / at(l[i], i);
  }
  return x;
}

export interface ReferenceProcess {
  readonly l: Matrix;
  readonly alpha: Vector;
  /** Constant mean. */
  readonly m: number;
  readonly logLikelihood: number;
}

/** Lines 2, 3 and 7 of algorithm 2.1; a fitted mean is generalised least squares, β̄ after eq. 2.41 with h(x) = 1 and B⁻¹ = 0. */
export function condition(
  kind: Covariance,
  parameters: Hyperparameters,
  x: Matrix,
  y: Vector,
  fitMean: boolean,
): ReferenceProcess {
  const n = x.length;
  const K = x.map((a, i) => x.map((b, j) => k(kind, parameters, a, b) + (i === j ? parameters.noiseVariance : 0)));
  const l = choleskyFactor(K);
  const solve = (b: Vector): number[] => solveUpper(l, solveLower(l, b));
  const ones = y.map(() => 1);
  const m = fitMean ? dot(ones, solve(y)) / dot(ones, solve(ones)) : 0;
  const residuals = y.map((value) => value - m);
  const alpha = solve(residuals);
  const logDeterminant = l.reduce((sum, row, i) => sum + Math.log(at(row, i)), 0);
  return { l, alpha, m, logLikelihood: -dot(residuals, alpha) / 2 - logDeterminant - (n / 2) * Math.log(2 * Math.PI) };
}

/** Lines 4 to 6 of algorithm 2.1: mean and variance of f*. */
export function predict(
  kind: Covariance,
  parameters: Hyperparameters,
  x: Matrix,
  { l, alpha, m }: ReferenceProcess,
  star: Vector,
): { mean: number; variance: number } {
  const ks = x.map((row) => k(kind, parameters, row, star));
  const v = solveLower(l, ks);
  return { mean: m + dot(ks, alpha), variance: k(kind, parameters, star, star) - dot(v, v) };
}

/** Eq. 2.24: the covariance of f at two points. */
export function posteriorCovariance(
  kind: Covariance,
  parameters: Hyperparameters,
  x: Matrix,
  { l }: ReferenceProcess,
  a: Vector,
  b: Vector,
): number {
  const whiten = (star: Vector): number[] =>
    solveLower(
      l,
      x.map((row) => k(kind, parameters, row, star)),
    );
  return k(kind, parameters, a, b) - dot(whiten(a), whiten(b));
}
