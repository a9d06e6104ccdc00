import { KernelInputError, readSnapshot, requireInteger, requireRecord, writeSnapshot } from '../runtime/index.ts';
import { RunBlock, Workspace } from './block.ts';
import type { RunState } from './block.ts';
import { unbend } from './bounds.ts';
import type { CmaOptions, StopReasons } from './contract.ts';
import { SCALAR_COUNT } from './layout.ts';
import { parseOptions } from './options.ts';
import type { ResolvedOptions } from './options.ts';
import { strategyParameters } from './parameters.ts';
import type { StrategyParameters } from './parameters.ts';
import { Termination } from './termination.ts';
import type { TerminationState } from './termination.ts';

const KERNEL = 'cma-es';
const VERSION = 1;

/** The best candidate so far. Before the first finite value: x0, +∞, 0. */
export interface Best {
  readonly x: Float64Array;
  readonly fun: number;
  /** Number of the evaluation that found it, from 1. */
  readonly evaluations: number;
}

/** Where a run belongs in a sequence of runs. */
export interface RunPlace {
  readonly workspace: Workspace;
  /** Random stream of the run. */
  readonly stream: number;
}

/**
 * One run of (μ/μw, λ)-CMA-ES with active covariance update and cumulative step-size adaptation (Hansen, The CMA Evolution
 * Strategy: A Tutorial, arXiv:1604.00772), with the parameters and termination conditions of pycma. Minimises.
 *
 *     const es = CmaEs.create(module, { dimension, x0, sigma0, seed });
 *     while (Object.keys(es.stop()).length === 0) es.tell(objective(es.ask()));
 *
 * Everything follows from options, seed and values: values belong to candidates by index, whenever they came; equal ones
 * rank by index, NaN after all others. When every value of a generation is NaN it is counted but teaches nothing, and
 * after ten such in a row the run stops with `allnan`.
 *
 * Unlike pycma: no mirrored candidates for λ < 6, the final mean is not evaluated, an ill-conditioned C is relieved by
 * coordinates only, and a budget is never overdrawn.
 */
export class CmaEs {
  readonly #options: CmaOptions;
  readonly #resolved: ResolvedOptions;
  readonly #place: RunPlace;
  readonly #termination: Termination;
  #block: RunBlock;
  #population: Float64Array | undefined;
  #reasons: StopReasons = {};

  private constructor(options: CmaOptions, resolved: ResolvedOptions, place: RunPlace, diagonal: boolean) {
    this.#options = options;
    this.#resolved = resolved;
    this.#place = place;
    this.#termination = new Termination(resolved);
    this.#block = this.#begin(diagonal);
  }

  /** @throws KernelInputError naming the option that does not fit. */
  static create(module: WebAssembly.Module, options: CmaOptions): CmaEs {
    return CmaEs.createAt({ workspace: new Workspace(module), stream: 0 }, options);
  }

  /** As `create`, in memory that earlier runs have left. Those must not be used any more. */
  static createAt(place: RunPlace, options: CmaOptions): CmaEs {
    const resolved = parseOptions(options);
    return new CmaEs(structuredClone(options), resolved, place, resolved.diagonalIterations > 0);
  }

  /**
   * Goes on where `snapshot` was taken, bit for bit, also between ask and tell.
   *
   * @throws KernelInputError on anything that `snapshot()` did not write.
   */
  static resume(module: WebAssembly.Module, snapshot: Uint8Array): CmaEs {
    return CmaEs.resumeAt(new Workspace(module), snapshot);
  }

  /** As `resume`, in memory that earlier runs have left. */
  static resumeAt(workspace: Workspace, snapshot: Uint8Array): CmaEs {
    const { state, arrays } = readSnapshot(snapshot, KERNEL, VERSION);
    const options = requireRecord('snapshot.options', state.options) as unknown as CmaOptions;
    const resolved = parseOptions(options);
    const counters = requireRecord('snapshot.counters', state.counters);
    const place = { workspace, stream: requireInteger('snapshot.stream', state.stream, { min: 0 }) };
    const es = new CmaEs(options, resolved, place, state.diagonal === true);
    const doubles = arrays.map((array) => {
      if (array instanceof Float64Array) return array;
      throw new KernelInputError('snapshot.arrays', 'doubles', array);
    });
    const { run, histories } = unpack(doubles, resolved.dimension, es.#block.diagonal);
    es.#block.load(run);
    es.#termination.load({
      counters: {
        flat: requireInteger('snapshot.counters.flat', counters.flat, { min: 0 }),
        anchored: requireInteger('snapshot.counters.anchored', counters.anchored, { min: 0 }),
      },
      histories,
    });
    es.#reasons = requireRecord('snapshot.reasons', state.reasons) as StopReasons;
    if (state.asked === true) es.ask();
    return es;
  }

  /** Number of variables, d. */
  get dimension(): number {
    return this.#resolved.dimension;
  }

  /** Candidates of a generation, λ. */
  get popsize(): number {
    return this.#resolved.popsize;
  }

  get evaluations(): number {
    return this.#block.get('evaluations');
  }

  get iterations(): number {
    return this.#block.get('iterations');
  }

  /** Overall step size. */
  get sigma(): number {
    return this.#block.get('sigma');
  }

  /** Mean of the distribution, within the bounds; often better than `best.x` when values are noisy. */
  get mean(): Float64Array {
    return this.#block.mean();
  }

  /** Standard deviation of the distribution in each coordinate. */
  get stds(): Float64Array {
    return this.#block.stds();
  }

  get best(): Best {
    const evaluations = this.#block.get('bestAt');
    const x = evaluations === 0 ? Float64Array.from(this.#resolved.x0) : this.#block.part('bestX').slice();
    return { x, fun: this.#block.get('bestFun'), evaluations };
  }

  /** λ candidates, λ×d row-major, within the bounds. Until `tell` the same ones come again. */
  ask(): Float64Array {
    this.#population ??= this.#block.ask();
    return this.#population.slice();
  }

  /**
   * Takes the values of the candidates, in their order.
   *
   * @throws KernelInputError unless there are λ numbers, and `ask` came first.
   */
  tell(values: ArrayLike<number>): void {
    if (this.#population === undefined) throw new KernelInputError('values', 'ask() before tell()', values);
    if (values.length !== this.popsize) throw new KernelInputError('values', `${this.popsize} numbers`, values);
    for (let i = 0; i < values.length; i++) {
      if (typeof values[i] !== 'number') throw new KernelInputError(`values[${i}]`, 'a number or NaN', values[i]);
    }
    this.#block.values.set(values);
    this.#block.tell();
    this.#population = undefined;
    this.#reasons = this.#termination.update(this.#block);
    if (this.#block.diagonal && this.iterations >= this.#resolved.diagonalIterations) this.#learnCorrelations();
  }

  /** Conditions that hold after the last generation, with the threshold or index that belongs to each; {} while running. */
  stop(): StopReasons {
    return { ...this.#reasons };
  }

  /** The run as bytes, for `resume` with the same kernel binary. */
  snapshot(): Uint8Array {
    const { scalars, vectors, covariance, eigenvectors } = this.#block.save();
    const { counters, histories } = this.#termination.save();
    const state = {
      options: this.#options,
      stream: this.#place.stream,
      diagonal: this.#block.diagonal,
      asked: this.#population !== undefined,
      counters,
      reasons: this.#reasons,
    };
    const arrays = [scalars, covariance, eigenvectors, ...vectors, ...histories];
    return writeSnapshot({ kernel: KERNEL, version: VERSION, state, arrays });
  }

  #parameters(diagonal: boolean): StrategyParameters {
    const { dimension, popsize, active, dampfac, updatecovwait } = this.#resolved;
    return strategyParameters({ dimension, popsize, active, diagonal, dampfac, updatecovwait });
  }

  #begin(diagonal: boolean): RunBlock {
    const { dimension, popsize, x0, lower, upper } = this.#resolved;
    const block = new RunBlock(this.#place.workspace, dimension, popsize, diagonal);
    const mean = x0.map((x, i) => unbend(x, lower[i] ?? -Infinity, upper[i] ?? Infinity));
    block.begin(this.#resolved, this.#parameters(diagonal), mean, this.#place.stream);
    return block;
  }

  /** From the variances learned so far to a full C; D and the variances move into it. */
  #learnCorrelations(): void {
    const diagonal = this.#block.save();
    const parameters = this.#parameters(false);
    this.#block = this.#begin(false);
    const full = this.#block.save();
    diagonal.covariance.forEach((variance, i) => {
      full.covariance[(i * (i + 3)) / 2] = variance;
    });
    this.#block.load({ ...full, vectors: diagonal.vectors, scalars: diagonal.scalars });
    for (const name of ['c1', 'cmu', 'cc', 'eigenGap'] as const) this.#block.set(name, parameters[name]);
  }
}

/** Splits the arrays of a snapshot, and checks their lengths. */
function unpack(
  arrays: readonly Float64Array[],
  d: number,
  diagonal: boolean,
): { run: RunState; histories: TerminationState['histories'] } {
  const [scalars, covariance, eigenvectors, ...rest] = arrays;
  const vectors = rest.slice(0, 7);
  const [recent, bests, medians, extremes] = rest.slice(7);
  const sizes = [SCALAR_COUNT, diagonal ? d : (d * (d + 1)) / 2, diagonal ? 0 : d * d, ...vectors.map(() => d)];
  const fits = sizes.every((size, index) => arrays[index]?.length === size) && arrays.length === 14;
  if (!fits || !scalars || !covariance || !eigenvectors || !recent || !bests || !medians || !extremes) {
    throw new KernelInputError('snapshot.arrays', `the arrays of a run in ${d} dimensions`, arrays);
  }
  return { run: { scalars, covariance, eigenvectors, vectors }, histories: [recent, bests, medians, extremes] };
}
