import { KernelInputError, instantiate } from '../runtime/index.ts';
import type { KernelInstance, Pointer } from '../runtime/index.ts';
import type { Covariance, GpOptions, Hyperparameters } from './contract.ts';
import { COVARIANCE_CODES } from './exports.ts';
import type { GpExports } from './exports.ts';

export type GpInstance = KernelInstance<GpExports>;

export const instantiateGp = (module: WebAssembly.Module): GpInstance => instantiate<GpExports>(module);

/** Jitter is tried from the first to the last of these shares of σ_f², growing tenfold. */
const FIRST_JITTER = 1e-10;
const LAST_JITTER = 1e-4;

/**
 * Calls `attempt` without jitter, then with more and more of it, until a matrix has a Cholesky factor (as GPyTorch's
 * `psd_safe_cholesky` does). Returns the jitter that helped, or undefined when none did.
 */
export function withJitter(variance: number, attempt: (jitter: number) => boolean): number | undefined {
  if (attempt(0)) return 0;
  for (let share = FIRST_JITTER; share <= LAST_JITTER * 1.5; share *= 10) {
    if (attempt(share * variance)) return share * variance;
  }
  return undefined;
}

/** Rows of scaled numbers to condition on. */
export interface ScaledRows {
  /** N×D, row-major. */
  readonly inputs: Float64Array;
  readonly rows: number;
  readonly dimension: number;
}

/** A Gaussian process inside an instance: one table of inputs, a target and hyper-parameters that may be exchanged. */
export class GaussianProcess {
  readonly pointer: Pointer;
  readonly #instance: GpInstance;
  readonly #rows: number;
  readonly #dimension: number;
  readonly #fitMean: boolean;

  /** @throws KernelInputError (memory) when there is no room. */
  constructor(
    instance: GpInstance,
    { inputs, rows, dimension }: ScaledRows,
    options: { readonly covariance: Covariance; readonly mean: GpOptions['mean'] },
    purpose: 'training' | 'prediction',
  ) {
    const { exports } = instance;
    const training = purpose === 'training' ? 1 : 0;
    this.#instance = instance;
    this.#rows = rows;
    this.#dimension = dimension;
    this.#fitMean = options.mean === 'fitted';
    const code = COVARIANCE_CODES[options.covariance];
    this.pointer = instance.allocating(() => exports.gpNew(rows, dimension, code, training));
    const order = Math.ceil(rows / 4) * 4;
    const table = instance.f64(exports.gpInputs(this.pointer), dimension * order);
    for (let row = 0; row < rows; row++) {
      for (let d = 0; d < dimension; d++) table[d * order + row] = inputs[row * dimension + d] ?? 0;
    }
  }

  /** @param targets N scaled numbers */
  setTargets(targets: Float64Array): void {
    this.#instance.f64(this.#instance.exports.gpTargets(this.pointer), this.#rows).set(targets);
  }

  /**
   * Takes over the hyper-parameters and conditions on the rows.
   *
   * @param jitter when given, exactly this much; otherwise as much as it takes
   * @returns the jitter, or undefined when there is no Cholesky factor
   */
  condition({ signalVariance, noiseVariance, lengthScales }: Hyperparameters, jitter?: number): number | undefined {
    const { exports } = this.#instance;
    const parameters = this.#instance.f64(exports.gpParameters(this.pointer), this.#dimension + 2);
    parameters.set([signalVariance, noiseVariance, ...lengthScales]);
    exports.gpCovariance(this.pointer);
    const attempt = (amount: number): boolean =>
      exports.gpCondition(this.pointer, this.#fitMean ? 1 : 0, amount) === 1 && Number.isFinite(this.likelihood);
    if (jitter !== undefined) return attempt(jitter) ? jitter : undefined;
    return withJitter(signalVariance, attempt);
  }

  /** log p(y|X) after `condition`. */
  get likelihood(): number {
    return this.#instance.exports.gpLikelihood(this.pointer);
  }

  /** The constant mean after `condition`, in scaled units. */
  get mean(): number {
    return this.#instance.exports.gpMean(this.pointer);
  }

  /** ∂ log p(y|X)/∂(log σ_f², log σ_n², log ℓ_1 …) after `condition`, of a process for training. */
  gradient(): Float64Array {
    const { exports } = this.#instance;
    exports.gpDifferentiate(this.pointer);
    return this.#instance.f64(exports.gpGradient(this.pointer), this.#dimension + 2).slice();
  }
}

/** @throws KernelInputError: for parameters that came from outside and allow no Cholesky factor. */
export function requireFactor(field: string, jitter: number | undefined): number {
  if (jitter !== undefined) return jitter;
  throw new KernelInputError(field, 'hyper-parameters with a positive definite covariance matrix', 'others');
}
