import { acquisition } from '../../acquisition/index.ts';
import { builtin } from '../../bbob/index.ts';
import { math } from '../../math/index.ts';
import { MlpPredictor } from '../../mlp/index.ts';
import type { MlpModel } from '../../mlp/index.ts';
import { KernelInputError, instantiate, requireInteger } from '../../runtime/index.ts';
import type { FleetObjective } from './contract.ts';

/** Values of rows×d points, in f64. */
export type Evaluate = (xs: Float64Array, rows: number) => Float64Array;

type AcquisitionObjective = Extract<FleetObjective, { kind: 'acquisition' }>;

/** Exact objectives: what the fleet searches in WASM, and what judges the finds of a GPU. */
export class Objectives {
  readonly #module: WebAssembly.Module;
  readonly #dimension: number;
  readonly #predictor: MlpPredictor | undefined;
  readonly #known = new Map<FleetObjective, Evaluate>();

  /** @throws KernelInputError when the ensemble does not fit the dimension, or has several outputs. */
  constructor(module: WebAssembly.Module, dimension: number, ensemble: readonly MlpModel[] | undefined) {
    this.#module = module;
    this.#dimension = dimension;
    if (ensemble === undefined) return;
    const predictor = new MlpPredictor(module, ensemble);
    if (predictor.dimension !== dimension || predictor.outputs !== 1) {
      const found = `${predictor.dimension} inputs, ${predictor.outputs} outputs`;
      throw new KernelInputError('ensemble', `models of ${dimension} inputs and 1 output`, found);
    }
    this.#predictor = predictor;
  }

  /** @throws KernelInputError naming what does not fit. */
  of(objective: FleetObjective): Evaluate {
    const known = this.#known.get(objective) ?? this.#make(objective);
    this.#known.set(objective, known);
    return known;
  }

  #make(objective: FleetObjective): Evaluate {
    if (objective.kind === 'acquisition') return this.#acquisition(objective);
    const problem = builtin(this.#module, objective.name, this.#dimension);
    return (xs, rows) => problem.evaluateMany(xs, rows);
  }

  #acquisition({ acquisition: options, member }: AcquisitionObjective): Evaluate {
    const predictor = this.#predictor;
    if (predictor === undefined) throw new KernelInputError('ensemble', 'models for an acquisition', undefined);
    const score = acquisition(math(instantiate(this.#module)), options);
    if (options.kind === 'thompson') {
      const place = requireInteger('objective.member', member, { min: 0, max: predictor.size - 1 });
      return (xs, rows) =>
        (predictor.members(xs, rows)[place] ?? new Float64Array(rows)).map((word) => -score(word, 0));
    }
    return (xs, rows) => {
      const { mean, std } = predictor.predict(xs, rows);
      return mean.map((value, k) => -score(value, std[k] ?? NaN));
    };
  }
}
