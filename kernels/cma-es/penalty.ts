import type { MathExports } from '../math/index.ts';
import type { RunBlock } from './block.ts';
import { median } from './median.ts';
import type { ResolvedOptions } from './options.ts';

/** Weights of the penalty by coordinate (none before the mean has been outside), and spreads of values, newest first. */
export interface PenaltyState {
  readonly weights: Float64Array;
  readonly spreads: Float64Array;
}

/**
 * The penalty for candidates that were drawn outside the bounds: Σ wᵢ·(vᵢ − xᵢ)²/d for a candidate drawn at v and evaluated
 * at x, the nearest point within. Hansen, Niederberger, Guzzella, Koumoutsakos, A method for handling uncertainty in
 * evolutionary optimization, IEEE TEC 13, 2009, appendix, with the updates of pycma's `BoundPenalty`.
 */
export class Penalty {
  readonly #options: ResolvedOptions;
  readonly #functions: Pick<MathExports, 'exp' | 'tanh'>;
  #weights: Float64Array | undefined;
  #spreads: number[] = [];

  constructor(options: ResolvedOptions, functions: Pick<MathExports, 'exp' | 'tanh'>) {
    this.#options = options;
    this.#functions = functions;
  }

  save(): PenaltyState {
    return { weights: this.#weights?.slice() ?? new Float64Array(0), spreads: Float64Array.from(this.#spreads) };
  }

  load({ weights, spreads }: PenaltyState): void {
    this.#weights = weights.length > 0 ? weights.slice() : undefined;
    this.#spreads = [...spreads];
  }

  /** Adapts the weights to the values of a generation, then writes the penalties of its candidates to the block. */
  apply(block: RunBlock): void {
    const variances = block.stds().map((std) => std * std);
    this.#noteSpread(block, variances);
    this.#adapt(block, variances);
    const d = this.#options.dimension;
    const mean = block.part('mean');
    const spread = block.part('spread');
    const penalties = block.part('penalties', block.popsize);
    for (let k = 0; k < block.popsize; k++) {
      const y = block.step(k);
      let sum = 0;
      for (let i = 0; i < d; i++) {
        const v = (mean[i] ?? NaN) + (spread[i] ?? NaN) * (y[i] ?? NaN);
        const outside = this.#outside(i, v);
        sum += (this.#weights?.[i] ?? 1) * outside * outside;
      }
      penalties[k] = sum / d;
    }
  }

  #outside(i: number, value: number): number {
    const { lower, upper } = this.#options;
    return value - Math.min(Math.max(value, lower[i] ?? -Infinity), upper[i] ?? Infinity);
  }

  /** The interquartile range of the values, in units of the variances. */
  #noteSpread(block: RunBlock, variances: Float64Array): void {
    const { dimension: d, popsize } = this.#options;
    const sorted = [...block.values].map((value) => (Number.isNaN(value) ? Infinity : value)).sort((a, b) => a - b);
    const [upper, lower] = [sorted[Math.floor((3 * (popsize + 1)) / 4)], sorted[Math.floor((popsize + 1) / 4)]];
    const spread =
      ((upper ?? sorted[popsize - 1] ?? NaN) - (lower ?? NaN)) / (variances.reduce((sum, v) => sum + v, 0) / d);
    if (Number.isFinite(spread) && spread > 0) this.#spreads.unshift(spread);
    else if (spread === Infinity && this.#spreads.length > 1) this.#spreads.unshift(Math.max(...this.#spreads));
    if (this.#spreads.length > 20 + (3 * d) / popsize) this.#spreads.pop();
  }

  #adapt(block: RunBlock, variances: Float64Array): void {
    if (this.#spreads.length === 0) return;
    const d = this.#options.dimension;
    const mean = block.part('mean');
    const mueff = block.get('mueff');
    const away = variances.map((variance, i) => this.#outside(i, mean[i] ?? NaN) / Math.sqrt(variance));
    const typical = median(this.#spreads);
    // The first spread says little, so the weights begin anew in the second generation.
    const begins = this.#weights === undefined || block.get('iterations') === 1;
    if (begins && away.some((value) => value !== 0)) this.#weights = new Float64Array(d).fill(2 * typical);
    if (this.#weights === undefined) return;
    const rate = Math.min(1, mueff / 10 / d);
    const near = 3 * Math.max(1, Math.sqrt(d) / mueff);
    this.#weights = this.#weights.map((weight, i) => {
      const excess = Math.abs(away[i] ?? NaN) - near;
      const raised = excess > 0 ? weight * this.#functions.exp((rate * this.#functions.tanh(excess / 3)) / 2) : weight;
      return raised > 5 * typical ? raised * this.#functions.exp(-rate / 3) : raised;
    });
  }
}
