import { normalQuantile } from '../rng/index.ts';
import type { MathExports } from '../math/index.ts';
import type { RunBlock } from './block.ts';
import type { ResolvedOptions } from './options.ts';
import type { WholeNumber } from './space.ts';

/** Where a distribution stands in one coordinate. */
export interface Marginal {
  readonly mean: number;
  /** Standard deviation, the lift included. */
  readonly std: number;
}

/**
 * Keeps the chance of neighbouring whole numbers at α, by moving the mean and widening the sampling in one coordinate:
 * Hamano et al., CMA-ES with margin, arXiv:2205.13482, section 4.2. `low` and `high` are the ends of the numbers.
 *
 * @returns the mean, and the factor of the standard deviation.
 */
export function correctMargin(
  { mean, std }: Marginal,
  low: number,
  high: number,
  alpha: number,
  cdf: (x: number) => number,
): { mean: number; factor: number } {
  const nearest = Math.min(Math.max(Math.round(mean), low), high);
  const below = nearest - 0.5;
  const above = nearest + 0.5;
  if (nearest === low || nearest === high) {
    // Equations (24), (25): only one number is next to this one.
    const close = nearest === low ? above : below;
    const most = std * normalQuantile(1 - alpha);
    const away = Math.min(Math.abs(mean - close), most);
    return { mean: nearest === low ? close - away : close + away, factor: 1 };
  }
  // Equations (26)–(34).
  const pLow = cdf((below - mean) / std);
  const pUp = cdf((mean - above) / std);
  const pMid = 1 - pLow - pUp;
  const least = alpha / 2;
  if (pLow >= least && pUp >= least) return { mean, factor: 1 };
  const [low1, up1] = [Math.max(least, pLow), Math.max(least, pUp)];
  const excess = (1 - low1 - up1 - pMid) / (low1 + up1 + pMid - 3 * least);
  const low2 = low1 + excess * (low1 - least);
  const up2 = up1 + excess * (up1 - least);
  const [qLow, qUp] = [normalQuantile(1 - low2), normalQuantile(1 - up2)];
  const width = (above - below) / (qLow + qUp);
  return { mean: below + width * qLow, factor: width / std };
}

const NONE = new Float64Array(0);

/** The whole-numbered variables of a run: rounding, and the margin. */
export class Integers {
  readonly #variables: readonly WholeNumber[];
  readonly #alpha: number;

  constructor({ integers, dimension, popsize }: ResolvedOptions) {
    this.#variables = integers;
    this.#alpha = 1 / (dimension * popsize);
  }

  /** Rounds in rows of d numbers, in place. */
  round(rows: Float64Array, d: number): void {
    for (const { index, low, high } of this.#variables) {
      for (let place = index; place < rows.length; place += d) {
        // 0 is added so that −0 becomes 0.
        rows[place] = Math.min(Math.max(Math.round(rows[place] ?? NaN), low), high) + 0;
      }
    }
  }

  /** Brings a mean within the ends, without rounding, in place. */
  clamp(mean: Float64Array): void {
    for (const { index, low, high } of this.#variables) {
      mean[index] = Math.min(Math.max(mean[index] ?? NaN, low), high);
    }
  }

  /** What `correct` has to know of a block before it learns: the mean. */
  before(block: RunBlock): Float64Array {
    return this.#variables.length === 0 ? NONE : block.part('mean').slice();
  }

  /** Brings the distribution of a block that has learnt back to the margin. */
  correct(block: RunBlock, before: Float64Array, functions: Pick<MathExports, 'normalCdf'>): void {
    if (this.#variables.length === 0) return;
    const mean = block.part('mean');
    const lift = block.part('lift');
    this.#follow(block, before);
    const stds = block.stds();
    for (const { index, low, high } of this.#variables) {
      const marginal = { mean: mean[index] ?? NaN, std: stds[index] ?? NaN };
      const corrected = correctMargin(marginal, low, high, this.#alpha, (x) => functions.normalCdf(x));
      mean[index] = corrected.mean;
      lift[index] = (lift[index] ?? NaN) * corrected.factor;
    }
  }

  /**
   * The mean goes as far as parents with another whole number than its own were drawn. Without this it would go by σ·y, as
   * in the paper, and once σ is small no better number that the margin finds would ever be taken on.
   */
  #follow(block: RunBlock, before: Float64Array): void {
    const mean = block.part('mean');
    const lift = block.part('lift');
    const spread = block.part('spread');
    const rate = block.get('etaMean');
    for (const { row, weight } of block.parents()) {
      const y = block.step(row);
      for (const { index, low, high } of this.#variables) {
        const rounded = (x: number): number => Math.min(Math.max(Math.round(x), low), high);
        const [from, move] = [before[index] ?? NaN, (spread[index] ?? NaN) * (y[index] ?? NaN)];
        if (rounded(from + move) === rounded(from)) continue;
        mean[index] = (mean[index] ?? NaN) + rate * weight * move * (1 - 1 / (lift[index] ?? NaN));
      }
    }
  }
}
