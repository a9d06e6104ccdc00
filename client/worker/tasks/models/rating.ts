import { acquisition, scalarizer, shunning, type Acquisition, type Scalarization } from '#kernels/acquisition';
import { math, KernelInputError } from '#kernels';
import { Rng } from '#kernels/rng';
import { instantiate } from '#kernels/runtime';
import type { Kwargs } from '#catalog';
import type { Predictions } from './predictor.ts';
import { spreadOf } from './spread.ts';
import type { Surrogate } from './surrogate.ts';

/** How candidates are rated by a surrogate. */
export interface RatingOptions {
  readonly acquisition: Kwargs<'score_candidates'>['acquisition'];
  readonly goal: 'max' | 'min';
  /** Of the objective, or of the scalarization. */
  readonly best?: number | undefined;
  /** Needed for a model of several outputs; the result is minimised. */
  readonly scalarization?: Scalarization | undefined;
  /** Decides which member `thompson` asks. */
  readonly seed: number;
  /** Which proposal of a batch this is for. */
  readonly slot: number;
}

/** Mean and spread of what is rated, for each of N points. */
export interface Rated {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** How far a point’s influence reaches, as a share of each input’s range and for one input; it grows with √d, as distances do. */
const lengthScale = 0.05;

/** The multiplier of the spread near points that are tried or on their way; see `kernels/acquisition`. */
export function spreadNear(
  kernels: WebAssembly.Module,
  points: readonly ArrayLike<number>[],
  dimension: number,
): (x: ArrayLike<number>) => number {
  return shunning(math(instantiate(kernels)), points, lengthScale * Math.sqrt(dimension));
}

/** Turns predictions of a surrogate into scores, of which the greatest is best. */
export class Rating {
  readonly #acquisition: Acquisition;
  readonly #scalarize: ((values: ArrayLike<number>) => number) | null;
  /** The member whose word alone counts. */
  readonly #member: number | null;
  readonly #outputs: number;

  /** @throws KernelInputError when the options do not fit the surrogate. */
  constructor(kernels: WebAssembly.Module, surrogate: Pick<Surrogate, 'targets' | 'size'>, options: RatingOptions) {
    const { kind } = options.acquisition;
    const { scalarization, seed, slot } = options;
    this.#outputs = surrogate.targets.length;
    if (this.#outputs > 1 && scalarization === undefined) {
      throw new KernelInputError('scalarization', `one for a model of ${this.#outputs} outputs`, undefined);
    }
    if (scalarization !== undefined && scalarization.goals.length !== this.#outputs) {
      throw new KernelInputError(
        'scalarization.goals',
        `${this.#outputs} goals, one for each output`,
        scalarization.goals,
      );
    }
    this.#scalarize = scalarization === undefined ? null : scalarizer(scalarization);
    this.#acquisition = acquisition(math(instantiate(kernels)), {
      ...options.acquisition,
      goal: scalarization === undefined ? options.goal : 'min',
      best: options.best,
    });
    this.#member = kind === 'thompson' ? new Rng(seed, slot).integer(surrogate.size) : null;
  }

  /** What is rated: the only output, or the scalarization of each member’s outputs. */
  reduce({ mean, std, members }: Predictions): Rated {
    if (this.#member === null && this.#scalarize === null) return { mean, std };
    const each = this.#scalarize === null ? members() : members().map((member) => this.#scalars(member));
    const drawn = this.#member === null ? undefined : each[this.#member];
    return drawn === undefined ? spreadOf(each) : { mean: drawn, std: new Float64Array(drawn.length) };
  }

  /** @param spread Multiplier of the standard deviation, 0 … 1. */
  score(mean: number, std: number, spread: number): number {
    return this.#acquisition(mean, std * spread);
  }

  #scalars(values: Float64Array): Float64Array {
    const scalarize = this.#scalarize ?? ((row: ArrayLike<number>): number => row[0] ?? NaN);
    const k = this.#outputs;
    return Float64Array.from({ length: values.length / k }, (_, row) =>
      scalarize(values.subarray(row * k, (row + 1) * k)),
    );
  }
}
