/**
 * CMA-ES as the tutorial writes it: N. Hansen, The CMA Evolution Strategy: A Tutorial, arXiv:1604.00772, figure 6. Symbols
 * and equation numbers are the tutorial's. Plain arrays, no bounds, no stopping: for tests, and for reading. What variants
 * do differently stands in methods of their own.
 */
import type { StrategyParameters } from './parameters.ts';
import { at, entry, identity, indices, norm, times } from './reference-matrix.ts';
import type { Axes, Matrix } from './reference-matrix.ts';
import { AdaptiveRates } from './reference-rates.ts';

/** Σ wᵢ·vᵢ:λ over the μ weights given; `ranked` has the best vector first. */
function weightedMean(w: readonly number[], ranked: Matrix, n: number): number[] {
  return indices(n).map((j) => w.reduce((sum, weight, i) => sum + weight * entry(ranked, i, j), 0));
}

/** What a run does besides. */
export interface Variants {
  /** Pairs of mirrored candidates: z and −z. */
  readonly pairs?: number;
  /** Candidates that mirror the worst of the last generation. */
  readonly images?: number;
  /** The best point so far takes part in every selection. */
  readonly elitist?: boolean;
  /** Learning rates follow the signal in the steps. */
  readonly adaptive?: boolean;
}

/** A candidate's steps: y = B·D·z. */
interface Step {
  readonly z: number[];
  readonly y: number[];
}

export class ReferenceCmaEs {
  readonly n: number;
  m: number[];
  sigma: number;
  C: Matrix;
  B: Matrix;
  D: number[];
  p_sigma: number[];
  p_c: number[];
  /** Generations. */
  g = 0;
  evaluations = 0;
  #decomposedAt = 0;
  #steps: Step[] = [];
  /** Directions of the images. */
  #images: Matrix = [];
  #elite: { x: number[]; f: number } | undefined;
  readonly #variants: Variants;
  readonly #rates: AdaptiveRates | undefined;
  readonly #p: StrategyParameters;
  readonly #normal: () => number;
  readonly #eigen: (C: Matrix) => Axes;

  /**
   * @param normal draws from N(0, 1).
   * @param eigen decomposes C. It comes from outside because signs and order of eigenvectors are free: two strategies
   *   only walk together when they agree on them.
   */
  constructor(
    parameters: StrategyParameters,
    m: readonly number[],
    sigma: number,
    normal: () => number,
    eigen: (C: Matrix) => Axes,
    variants: Variants = {},
  ) {
    this.n = m.length;
    this.m = [...m];
    this.sigma = sigma;
    this.C = identity(this.n);
    this.B = identity(this.n);
    this.D = indices(this.n).map(() => 1);
    this.p_sigma = indices(this.n).map(() => 0);
    this.p_c = indices(this.n).map(() => 0);
    this.#p = parameters;
    this.#normal = normal;
    this.#eigen = eigen;
    this.#variants = variants;
    this.#rates = variants.adaptive ? new AdaptiveRates(this.n) : undefined;
  }

  /** Equations (38)–(40): xₖ = m + σ·yₖ, yₖ = B·D·zₖ, zₖ ~ N(0, I). */
  ask(): Matrix {
    const z = indices(this.#p.popsize).map(() => indices(this.n).map(() => this.#normal()));
    this.#mirrorPairs(z);
    this.#steps = z.map((zₖ) => ({
      z: zₖ,
      y: times(
        this.B,
        zₖ.map((value, j) => value * at(this.D, j)),
      ),
    }));
    this.#images.forEach((direction, k) => {
      this.#steps[k] = this.#towards(direction, norm(z[k] ?? []));
    });
    return this.#steps.map(({ y }) => this.#point(y));
  }

  tell(f: readonly number[]): void {
    const { popsize, mu, weights: w, mueff, cc, c1, cmu, cs, damps, chiN, eigenGap } = this.#p;
    const { n } = this;
    const ranked = this.#rank(f);
    this.#mirrorWorst(f);
    const z = ranked.map((step) => step.z);
    const y = ranked.map((step) => step.y);
    const before = { m: this.m, sigma: this.sigma, C: this.C, B: this.B, D: this.D };
    this.g += 1;
    this.evaluations += popsize;

    // (41), (42) Selection and recombination.
    const y_w = weightedMean(w.slice(0, mu), y, n);
    this.m = this.m.map((value, j) => value + this.sigma * at(y_w, j));

    // (43) p_σ; C^(−½)·⟨y⟩w is B·⟨z⟩w.
    const drift = times(this.B, weightedMean(w.slice(0, mu), z, n));
    this.p_sigma = this.p_sigma.map((value, j) => (1 - cs) * value + Math.sqrt(cs * (2 - cs) * mueff) * at(drift, j));

    // (45) p_c, stalled by h_σ while p_σ is long.
    const expected = (1 - (1 - cs) ** (2 * this.g)) * n;
    const h_sigma = norm(this.p_sigma) ** 2 / expected < 2 + 4 / (n + 1) ? 1 : 0;
    this.p_c = this.p_c.map((value, j) => (1 - cc) * value + h_sigma * Math.sqrt(cc * (2 - cc) * mueff) * at(y_w, j));

    // (46) Negative weights are scaled by n / ‖C^(−½)·y‖², and ‖C^(−½)·y‖ is ‖z‖.
    const w_o = w.map((value, i) => (value >= 0 ? value : (value * n) / (norm(z[i] ?? []) + 1e-9) ** 2));

    // (47) C.
    const delta = (1 - h_sigma) * cc * (2 - cc);
    const decay = 1 + c1 * delta - c1 - cmu * w.reduce((sum, value) => sum + value, 0);
    this.C = this.C.map((row, i) =>
      row.map((value, j) => {
        const rankMu = w_o.reduce((sum, weight, k) => sum + weight * entry(y, k, i) * entry(y, k, j), 0);
        return decay * value + c1 * at(this.p_c, i) * at(this.p_c, j) + cmu * rankMu;
      }),
    );

    // (44) σ.
    this.sigma *= Math.exp(Math.min(1, (cs / damps) * (norm(this.p_sigma) / chiN - 1)));

    if (this.#rates) Object.assign(this, this.#rates.shorten(before, this, this.#eigen));
    else if (this.evaluations > this.#decomposedAt + eigenGap) {
      ({ B: this.B, D: this.D } = this.#eigen(this.C));
      this.#decomposedAt = this.evaluations;
    }
  }

  #point(y: readonly number[]): number[] {
    return y.map((value, j) => at(this.m, j) + this.sigma * value);
  }

  /** The step in the direction of y with ‖z‖ = `length`; z = D⁻¹·Bᵀ·y. */
  #towards(y: readonly number[], length?: number): Step {
    const whitened = indices(this.n).map(
      (j) => y.reduce((sum, value, i) => sum + value * entry(this.B, i, j), 0) / at(this.D, j),
    );
    const factor = length === undefined ? 1 : length / norm(whitened);
    return { z: whitened.map((value) => value * factor), y: y.map((value) => value * factor) };
  }

  /** The last candidates become pairs, the second of each the image of the first. */
  #mirrorPairs(z: Matrix): void {
    for (let pair = 0; pair < (this.#variants.pairs ?? 0); pair++) {
      const image = z.length - 1 - 2 * pair;
      z[image] = (z[image - 1] ?? []).map((value) => -value);
    }
  }

  /** The worst candidates that are no images themselves are mirrored in the next generation. */
  #mirrorWorst(f: readonly number[]): void {
    const worst = indices(f.length)
      .sort((a, b) => at(f, b) - at(f, a) || b - a)
      .slice(0, this.#variants.images ?? 0);
    this.#images = worst
      .filter((k) => k >= this.#images.length)
      .map((k) => (this.#steps[k]?.y ?? []).map((value) => -value));
  }

  /** Steps, best first; of a pair the worse one comes after all others, and an elite before them. */
  #rank(f: readonly number[]): Step[] {
    const { pairs = 0, elitist = false } = this.#variants;
    const n = f.length;
    const order = indices(n).sort((a, b) => at(f, a) - at(f, b) || a - b);
    const partner = (k: number): number => ((n - 1 - k) % 2 === 0 ? k - 1 : k + 1);
    const loses = (k: number): boolean => k >= n - 2 * pairs && order.indexOf(partner(k)) < order.indexOf(k);
    const chosen = [...order.filter((k) => !loses(k)), ...order.filter(loses)];
    const steps = chosen.flatMap((k) => this.#steps[k] ?? []);
    const [first = 0] = order;
    if (!elitist) return steps;
    if (this.#elite === undefined || at(f, first) <= this.#elite.f) {
      this.#elite = { x: this.#point(this.#steps[first]?.y ?? []), f: at(f, first) };
      return steps;
    }
    const step = this.#towards(this.#elite.x.map((value, j) => (value - at(this.m, j)) / this.sigma));
    const most = Math.sqrt(this.n) + (2 * this.n) / (this.n + 2);
    const cut = Math.min(1, most / norm(step.z));
    const elite = { z: step.z.map((value) => value * cut), y: step.y.map((value) => value * cut) };
    return [elite, ...steps.slice(0, -1)];
  }
}
