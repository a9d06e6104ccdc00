/**
 * Learning rates that follow the signal-to-noise ratio of the steps, as the paper writes them: M. Nomura, Y. Akimoto,
 * I. Ono, CMA-ES with Learning Rate Adaptation, arXiv:2304.03473, algorithm 1. Σ = σ²·C. For tests, and for reading.
 */
import { at } from './reference-matrix.ts';
import type { Axes, Matrix } from './reference-matrix.ts';

/** A normal distribution N(m, σ²·C). */
export interface Distribution {
  readonly m: number[];
  readonly sigma: number;
  readonly C: Matrix;
}

const squared = (vector: readonly number[]): number => vector.reduce((sum, value) => sum + value ** 2, 0);
const combine = (a: Matrix, b: Matrix, f: (x: number, y: number) => number): Matrix =>
  a.map((row, i) => row.map((value, j) => f(value, b[i]?.[j] ?? NaN)));
const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((sum, value, k) => sum + value * (b[k]?.[j] ?? NaN), 0)));

/** What is remembered of one kind of step: Ɛ, V and η of the paper. */
class Signal {
  eta = 1;
  #mean: number[];
  #power = 0;
  readonly #beta: number;

  constructor(length: number, beta: number) {
    this.#mean = new Array<number>(length).fill(0);
    this.#beta = beta;
  }

  /** Takes a step in, in the coordinates where Σ was I. */
  follow(step: readonly number[]): void {
    const beta = this.#beta;
    const [alpha, gamma] = [1.4, 0.1];
    this.#mean = this.#mean.map((value, i) => (1 - beta) * value + beta * at(step, i));
    this.#power = (1 - beta) * this.#power + beta * squared(step);
    const snr = (squared(this.#mean) - (beta / (2 - beta)) * this.#power) / (this.#power - squared(this.#mean));
    const relative = Math.max(-1, Math.min(1, snr / (alpha * this.eta) - 1));
    this.eta = Math.min(1, this.eta * Math.exp(Math.min(gamma * this.eta, beta) * relative));
  }
}

export class AdaptiveRates {
  readonly #mean: Signal;
  readonly #covariance: Signal;

  constructor(n: number) {
    this.#mean = new Signal(n, 0.1);
    this.#covariance = new Signal(n * n, 0.03);
  }

  /** The step from `before` to `after`, shortened; σ so that det C = 1, and corrected for the change of the mean's rate. */
  shorten(before: Distribution & Axes, after: Distribution, eigen: (C: Matrix) => Axes): Distribution & Axes {
    const n = before.m.length;
    const { B, D } = before;
    const root = B.map((row) =>
      B.map((other) => row.reduce((sum, value, k) => sum + (value * at(other, k)) / at(D, k), 0)),
    );
    const step = after.m.map((value, i) => (value - at(before.m, i)) / before.sigma);
    const sizes = (after.sigma / before.sigma) ** 2;
    const change = combine(after.C, before.C, (now, then) => sizes * now - then);
    const previous = this.#mean.eta;
    this.#mean.follow(
      product(
        root,
        step.map((value) => [value]),
      ).flat(),
    );
    this.#covariance.follow(
      product(product(root, change), root)
        .flat()
        .map((value) => value / Math.SQRT2),
    );
    const C = combine(before.C, change, (then, difference) => then + this.#covariance.eta * difference);
    const axes = eigen(C);
    const size = Math.exp(axes.D.reduce((sum, value) => sum + Math.log(value), 0) / n);
    return {
      m: before.m.map((value, i) => value + this.#mean.eta * before.sigma * at(step, i)),
      sigma: (before.sigma * size * previous) / this.#mean.eta,
      C: C.map((row) => row.map((value) => value / size ** 2)),
      B: axes.B,
      D: axes.D.map((value) => value / size),
    };
  }
}
