import {
  KernelInputError,
  readSnapshot,
  requireInteger,
  requireNumber,
  requireRecord,
  writeSnapshot,
} from '../runtime/index.ts';
import { RunBlock, Workspace } from './block.ts';
import { unbend } from './bounds.ts';
import type { CmaOptions, StopReasons } from './contract.ts';
import { diagnose } from './diagnostics.ts';
import type { Diagnostics } from './diagnostics.ts';
import { Guests, parseSolutions } from './guests.ts';
import { Integers } from './integers.ts';
import { parseOptions } from './options.ts';
import type { ResolvedOptions } from './options.ts';
import { packArrays, unpackArrays } from './packing.ts';
import { strategyParameters } from './parameters.ts';
import type { StrategyParameters } from './parameters.ts';
import { Penalty } from './penalty.ts';
import { Termination } from './termination.ts';
import type { Rival } from './termination.ts';

/** How snapshots of a run are marked. */
export const SNAPSHOT = { kernel: 'cma-es', version: 2 } as const;

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
  /** What earlier runs have found. */
  readonly rival?: Rival;
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
 * Unlike pycma: the final mean is not evaluated, an ill-conditioned C is relieved by coordinates only, and a budget is never
 * overdrawn.
 */
export class CmaEs {
  readonly #options: CmaOptions;
  readonly #resolved: ResolvedOptions;
  readonly #place: RunPlace;
  readonly #termination: Termination;
  readonly #guests: Guests;
  readonly #integers: Integers;
  readonly #penalty: Penalty | undefined;
  #block: RunBlock;
  /** Whether a population is out. */
  #asked = false;
  #reasons: StopReasons = {};

  private constructor(options: CmaOptions, resolved: ResolvedOptions, place: RunPlace, diagonal: boolean) {
    this.#options = options;
    this.#resolved = resolved;
    this.#place = place;
    this.#termination = new Termination(resolved, place.rival);
    this.#guests = new Guests(resolved);
    this.#integers = new Integers(resolved);
    this.#block = this.#begin(diagonal);
    const isPenalised = resolved.penalised && resolved.bounded;
    this.#penalty = isPenalised ? new Penalty(resolved, this.#block.functions) : undefined;
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
    const { state, arrays } = readSnapshot(snapshot, SNAPSHOT.kernel, SNAPSHOT.version);
    const options = requireRecord('snapshot.options', state.options) as unknown as CmaOptions;
    const resolved = parseOptions(options);
    const counters = requireRecord('snapshot.counters', state.counters);
    const rival = state.rival === null ? undefined : requireRecord('snapshot.rival', state.rival);
    const place = {
      workspace,
      stream: requireInteger('snapshot.stream', state.stream, { min: 0 }),
      ...(rival && {
        rival: {
          fun: requireNumber('snapshot.rival.fun', rival.fun),
          tolbehind: requireNumber('snapshot.rival.tolbehind', rival.tolbehind, { min: 0 }),
        },
      }),
    };
    const es = new CmaEs(options, resolved, place, state.diagonal === true);
    const parts = unpackArrays(arrays, resolved, es.#block.diagonal);
    es.#block.load(parts.run);
    es.#guests.load(parts.guests);
    es.#penalty?.load(parts.penalty);
    es.#termination.load({
      counters: {
        flat: requireInteger('snapshot.counters.flat', counters.flat, { min: 0 }),
        anchored: requireInteger('snapshot.counters.anchored', counters.anchored, { min: 0 }),
      },
      histories: parts.histories,
    });
    es.#reasons = requireRecord('snapshot.reasons', state.reasons) as StopReasons;
    if (state.asked === true) es.#draw();
    return es;
  }

  /** Number of variables, the fixed ones included. */
  get dimension(): number {
    return this.#resolved.space.dimension;
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
    const mean = this.#block.mean();
    this.#integers.clamp(mean);
    return this.#resolved.space.expand(mean);
  }

  /** Standard deviation of the distribution in each coordinate; 0 in those that are fixed. */
  get stds(): Float64Array {
    return this.#resolved.space.expand(this.#block.stds(), 0);
  }

  get best(): Best {
    const evaluations = this.#block.get('bestAt');
    const x = evaluations === 0 ? Float64Array.from(this.#resolved.x0) : this.#block.part('bestX').slice();
    return { x: this.#resolved.space.expand(x), fun: this.#block.get('bestFun'), evaluations };
  }

  /** What to look at while a run goes on. */
  diagnostics(): Diagnostics {
    return diagnose(this.#block, { mean: this.mean, stds: this.stds, best: this.best });
  }

  /** The distribution as options of another run: `cov` has 1 on the diagonal, and 0 beside it, for fixed variables. */
  distribution(): Pick<CmaOptions, 'x0' | 'sigma0' | 'cov' | 'CMA_stds'> {
    const { space } = this.#resolved;
    const start = { x0: [...this.mean], sigma0: this.sigma };
    const cov = this.#block.covariance();
    if (cov === undefined) {
      const stds = this.#block.stds().map((std) => std / start.sigma0);
      return { ...start, CMA_stds: [...space.expand(stds, 1)] };
    }
    const rows = Array.from({ length: space.dimension }, (_, i) => {
      return Array.from({ length: space.dimension }, (_, j): number => (i === j ? 1 : 0));
    });
    space.free.forEach((place, i) => {
      rows[place] = [...space.expand(Float64Array.from(cov[i] ?? []), 0)];
    });
    return { ...start, cov: rows };
  }

  /**
   * Points that take the place of candidates in the next populations, as many at a time as there is room for, in order.
   * They are asked for as they are, rounded where whole numbers are due, with the values of fixed variables. What is learnt
   * from a point far away is cut to a usual length (Hansen, arXiv:1110.4181).
   *
   * @throws KernelInputError naming the point that has not d numbers or lies outside the bounds.
   */
  inject(solutions: readonly ArrayLike<number>[]): void {
    this.#guests.add(parseSolutions(solutions, this.#resolved));
  }

  /** Injected points that have not been asked for. */
  get injections(): Float64Array[] {
    return this.#guests.waiting().map((point) => this.#resolved.space.expand(point));
  }

  /**
   * λ candidates, λ×d row-major, within the bounds, in `out` if there is one. Until `tell` the same ones come again.
   *
   * @throws KernelInputError unless `out` has room for λ·d numbers and no more.
   */
  ask(out?: Float64Array): Float64Array {
    const length = this.popsize * this.dimension;
    if (out !== undefined && out.length !== length) throw new KernelInputError('out', `${length} numbers`, out);
    if (!this.#asked) {
      this.#guests.invite();
      this.#draw();
    }
    return this.#resolved.space.expand(this.#block.candidates, undefined, out);
  }

  /**
   * Takes the values of the candidates, in their order.
   *
   * @throws KernelInputError unless there are λ numbers, and `ask` came first.
   */
  tell(values: ArrayLike<number>): void {
    if (!this.#asked) throw new KernelInputError('values', 'ask() before tell()', values);
    if (values.length !== this.popsize) throw new KernelInputError('values', `${this.popsize} numbers`, values);
    for (let i = 0; i < values.length; i++) {
      if (typeof values[i] !== 'number') throw new KernelInputError(`values[${i}]`, 'a number or NaN', values[i]);
    }
    this.#block.values.set(values);
    this.#penalty?.apply(this.#block);
    this.#guests.leave(this.#block, this.#block.rank());
    const mean = this.#integers.before(this.#block);
    this.#block.tell();
    this.#integers.correct(this.#block, mean, this.#block.functions);
    this.#asked = false;
    this.#reasons = this.#termination.update(this.#block);
    if (this.#block.diagonal && this.iterations >= this.#resolved.diagonalIterations) this.#learnCorrelations();
  }

  /** Conditions that hold after the last generation, with the threshold or index that belongs to each; {} while running. */
  stop(): StopReasons {
    return { ...this.#reasons };
  }

  /** The run as bytes, for `resume` with the same kernel binary. */
  snapshot(): Uint8Array {
    const { counters, histories } = this.#termination.save();
    const state = {
      options: this.#options,
      stream: this.#place.stream,
      rival: this.#place.rival ?? null,
      diagonal: this.#block.diagonal,
      asked: this.#asked,
      counters,
      reasons: this.#reasons,
    };
    const none = new Float64Array(0);
    const arrays = packArrays({
      run: this.#block.save(),
      guests: this.#guests.save(),
      penalty: this.#penalty?.save() ?? { weights: none, spreads: none },
      histories,
    });
    return writeSnapshot({ ...SNAPSHOT, state, arrays });
  }

  #draw(): void {
    this.#block.ask();
    this.#guests.seat(this.#block);
    this.#integers.round(this.#block.candidates, this.#block.dimension);
    this.#asked = true;
  }

  #parameters(diagonal: boolean): StrategyParameters {
    const { dimension, popsize, active, dampfac, updatecovwait } = this.#resolved;
    return strategyParameters({ dimension, popsize, active, diagonal, dampfac, updatecovwait });
  }

  #begin(diagonal: boolean): RunBlock {
    const { x0, lower, upper, penalised } = this.#resolved;
    const block = new RunBlock(this.#place.workspace, { ...this.#resolved, diagonal });
    const mean = penalised ? x0 : x0.map((x, i) => unbend(x, lower[i] ?? -Infinity, upper[i] ?? Infinity));
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
