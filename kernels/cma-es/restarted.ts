import { math } from '../math/index.ts';
import { Rng } from '../rng/index.ts';
import type { RngState } from '../rng/index.ts';
import {
  KernelInputError,
  readSnapshot,
  requireChoice,
  requireFiniteArray,
  requireInteger,
  requireRecord,
  writeSnapshot,
} from '../runtime/index.ts';
import { Workspace } from './block.ts';
import type { CmaOptions, RestartOptions, StopReasons } from './contract.ts';
import type { Diagnostics } from './diagnostics.ts';
import { parseOptions } from './options.ts';
import type { ResolvedOptions } from './options.ts';
import { REGIMES, parseRestartOptions, planRun } from './restarts.ts';
import type { Regime, RestartRules, RunPlan, RunSummary } from './restarts.ts';
import { CmaEs } from './run.ts';
import type { Best } from './run.ts';

const KERNEL = 'cma-es-restarts';
const VERSION = 1;

/** A summary in JSON, which knows no infinities. */
type StoredSummary = Omit<RunSummary, 'fun'> & { readonly fun: number | null };

/** A sequence as it was begun: what never changes. */
interface Setup {
  readonly options: CmaOptions;
  readonly restart: RestartOptions;
  readonly first: ResolvedOptions;
  readonly rules: RestartRules;
  readonly budget: number;
  readonly workspace: Workspace;
}

/** Options of a sequence of runs: elitism by default, which a single run does without. Measured in docs/decisions. */
function sequenceOptions(options: CmaOptions, { restarts }: RestartOptions): CmaOptions {
  if (restarts === 'none') return options;
  return { CMA_elitist: options.lr_adapt !== true, ...options };
}

function prepare(module: WebAssembly.Module, given: CmaOptions, restart: RestartOptions): Setup {
  const options = sequenceOptions(given, restart);
  const first = parseOptions(options);
  const rules = parseRestartOptions(restart, first);
  const budget = Math.min(rules.maxEvaluations, first.maxfevals);
  const setup = { options: structuredClone(options), restart: structuredClone(restart), first, rules, budget };
  return { ...setup, workspace: new Workspace(module) };
}

/**
 * CMA-ES that begins again when a run has converged or stalls: IPOP or BIPOP (see `RestartOptions`). It is asked and told
 * like `CmaEs`; only the population size changes from run to run. `options.seed` governs everything: plans are drawn from
 * its stream 0, run k (from 0) from stream k + 1.
 *
 * It ends with `ftarget`, with `maxfevals`, with `maxrestarts`, or, when it may not restart, with what ended its run.
 */
export class RestartedCmaEs {
  readonly #setup: Setup;
  readonly #rng: Rng;
  readonly #runs: RunSummary[];
  #regime: Regime;
  #run: CmaEs;
  #spent: number;
  #best: Best;
  #reasons: StopReasons;

  private constructor(setup: Setup, state: { rng: Rng; runs: RunSummary[]; regime: Regime; run: CmaEs; best: Best }) {
    this.#setup = setup;
    this.#rng = state.rng;
    this.#runs = state.runs;
    this.#regime = state.regime;
    this.#run = state.run;
    this.#best = state.best;
    this.#spent = state.runs.reduce((sum, run) => sum + run.evaluations, 0);
    this.#reasons = {};
  }

  /** @throws KernelInputError naming the option that does not fit. */
  static create(module: WebAssembly.Module, options: CmaOptions, restart: RestartOptions): RestartedCmaEs {
    const setup = prepare(module, options, restart);
    const { first, budget } = setup;
    const run = CmaEs.createAt({ workspace: setup.workspace, stream: 1 }, runOptions(setup, first, options.x0, budget));
    const best: Best = { x: run.best.x, fun: Infinity, evaluations: 0 };
    return new RestartedCmaEs(setup, { rng: new Rng(first.seed), runs: [], regime: 'first', run, best });
  }

  /**
   * Goes on where `snapshot` was taken, bit for bit, also between ask and tell.
   *
   * @throws KernelInputError on anything that `snapshot()` did not write.
   */
  static resume(module: WebAssembly.Module, snapshot: Uint8Array): RestartedCmaEs {
    const { state, arrays } = readSnapshot(snapshot, KERNEL, VERSION);
    const options = requireRecord('snapshot.options', state.options) as unknown as CmaOptions;
    const restart = requireRecord('snapshot.restart', state.restart) as unknown as RestartOptions;
    const setup = prepare(module, options, restart);
    const [x, rank, inner] = arrays;
    if (!(x instanceof Float64Array) || !(rank instanceof Float64Array) || !(inner instanceof Uint32Array)) {
      throw new KernelInputError('snapshot.arrays', 'the arrays of a sequence of runs', arrays);
    }
    requireFiniteArray('snapshot.best', x, options.x0.length);
    const run = CmaEs.resumeAt(setup.workspace, new Uint8Array(inner.buffer, inner.byteOffset, inner.byteLength));
    if (!Array.isArray(state.runs)) throw new KernelInputError('snapshot.runs', 'a list of runs', state.runs);
    const runs = (state.runs as StoredSummary[]).map((one) => ({ ...one, fun: one.fun ?? Infinity }));
    const resumed = new RestartedCmaEs(setup, {
      rng: Rng.restore(requireRecord('snapshot.rng', state.rng) as unknown as RngState),
      runs,
      regime: requireChoice('snapshot.regime', state.regime, REGIMES),
      run,
      best: { x, fun: rank[0] ?? Infinity, evaluations: requireInteger('snapshot.best', rank[1], { min: 0 }) },
    });
    resumed.#reasons = requireRecord('snapshot.reasons', state.reasons) as StopReasons;
    return resumed;
  }

  get dimension(): number {
    return this.#run.dimension;
  }

  /** Candidates of the present run's generations. */
  get popsize(): number {
    return this.#run.popsize;
  }

  /** Of all runs together. */
  get evaluations(): number {
    return this.#spent + this.#present((run) => run.evaluations);
  }

  /** Of all runs together. */
  get iterations(): number {
    return this.#runs.reduce((sum, run) => sum + run.iterations, 0) + this.#present((run) => run.iterations);
  }

  /** Runs that followed the first. */
  get restartCount(): number {
    return this.#runs.length - (this.#ended ? 1 : 0);
  }

  /** Runs that have ended, in order. */
  get runs(): readonly RunSummary[] {
    return [...this.#runs];
  }

  /** Of the present run. */
  get sigma(): number {
    return this.#run.sigma;
  }

  /** Of the present run. */
  get mean(): Float64Array {
    return this.#run.mean;
  }

  /** Of the present run. */
  get stds(): Float64Array {
    return this.#run.stds;
  }

  /** Of all runs. */
  get best(): Best {
    const best = this.#present((run) => (run.best.fun < this.#best.fun ? 1 : 0)) === 1 ? this.#improved() : this.#best;
    return { ...best, x: best.x.slice() };
  }

  /** What to look at in the present run. */
  diagnostics(): Diagnostics {
    return this.#run.diagnostics();
  }

  /** The distribution of the present run as options of another one. */
  distribution(): ReturnType<CmaEs['distribution']> {
    return this.#run.distribution();
  }

  /** Points for the next populations, as for one run. Those that a run leaves over go to the next one. */
  inject(solutions: readonly ArrayLike<number>[]): void {
    this.#run.inject(solutions);
  }

  /** The candidates of the next generation, popsize×d row-major, within the bounds. Until `tell` the same come again. */
  ask(out?: Float64Array): Float64Array {
    if (this.#ended)
      throw new KernelInputError('ask', 'a search that has not ended', Object.keys(this.#reasons).join());
    return this.#run.ask(out);
  }

  /** @throws KernelInputError unless there are popsize numbers, and `ask` came first. */
  tell(values: ArrayLike<number>): void {
    this.#run.tell(values);
    const stop = this.#run.stop();
    if (Object.keys(stop).length > 0) this.#endRun(stop);
  }

  /** Why the search ended; {} while it goes on, also from run to run. */
  stop(): StopReasons {
    return { ...this.#reasons };
  }

  /** The search as bytes, for `resume` with the same kernel binary. */
  snapshot(): Uint8Array {
    const { options, restart } = this.#setup;
    const inner = this.#run.snapshot();
    const state = {
      options,
      restart,
      rng: this.#rng.state(),
      runs: this.#runs,
      regime: this.#regime,
      reasons: this.#reasons,
    };
    const arrays = [
      this.#best.x,
      Float64Array.of(this.#best.fun, this.#best.evaluations),
      new Uint32Array(inner.buffer, inner.byteOffset, inner.byteLength / 4),
    ];
    return writeSnapshot({ kernel: KERNEL, version: VERSION, state, arrays });
  }

  get #ended(): boolean {
    return Object.keys(this.#reasons).length > 0;
  }

  /** A number of the run that has not been summed up yet; 0 when the search has ended. */
  #present(read: (run: CmaEs) => number): number {
    return this.#ended ? 0 : read(this.#run);
  }

  #improved(): Best {
    const { x, fun, evaluations } = this.#run.best;
    return { x, fun, evaluations: this.#spent + evaluations };
  }

  #endRun(stop: StopReasons): void {
    const run = this.#run;
    if (run.best.fun < this.#best.fun) this.#best = this.#improved();
    this.#spent += run.evaluations;
    const { popsize, evaluations, iterations } = run;
    this.#runs.push({ regime: this.#regime, popsize, evaluations, iterations, fun: run.best.fun, stop });
    if (stop.ftarget !== undefined) this.#reasons = { ftarget: stop.ftarget };
    else if (this.#setup.rules.restarts === 'none') this.#reasons = stop;
    else this.#beginRun();
  }

  #beginRun(): void {
    const { first, rules, budget, workspace } = this.#setup;
    const functions = math(workspace.instance);
    const plan = planRun(rules, first, this.#runs, {
      pow: (base, exponent) => functions.pow(base, exponent),
      uniform: () => this.#rng.uniform(),
    });
    const left = budget - this.#spent;
    if (plan === undefined) {
      this.#reasons = { maxrestarts: rules.maxRestarts };
    } else if (plan.popsize > left) {
      this.#reasons = { maxfevals: budget };
    } else {
      this.#regime = plan.regime;
      const { tolbehind } = rules;
      const rival = tolbehind > 0 && Number.isFinite(this.#best.fun) ? { fun: this.#best.fun, tolbehind } : undefined;
      const place = { workspace, stream: this.#runs.length + 1, ...(rival && { rival }) };
      const waiting = this.#run.injections;
      this.#run = CmaEs.createAt(place, laterOptions(runOptions(this.#setup, plan, this.#start(), left)));
      this.#run.inject(waiting);
    }
  }

  #start(): readonly number[] {
    const { rules, first, options } = this.#setup;
    const { box } = rules;
    if (box === undefined) return options.x0;
    return box.lower.map((low, i) => {
      return first.space.fixed(i) ?? low + ((box.upper[i] ?? low) - low) * this.#rng.uniform();
    });
  }
}

/** A first C belongs to the first run: later ones are begun because it led nowhere better. */
function laterOptions(options: CmaOptions): CmaOptions {
  const later = { ...options };
  Reflect.deleteProperty(later, 'cov');
  return later;
}

/** Options of one run of a sequence; what depends on λ by default stays as it was in the first run, as in pycma. */
function runOptions(
  { options, first, rules }: Setup,
  plan: Pick<RunPlan, 'popsize' | 'sigma0' | 'maxiter'>,
  x0: readonly number[],
  left: number,
): CmaOptions {
  const target = rules.target ?? options.ftarget;
  return {
    ...options,
    x0,
    popsize: plan.popsize,
    sigma0: plan.sigma0,
    maxiter: plan.maxiter,
    maxfevals: left,
    tolstagnation: first.tolstagnation,
    ...(target === undefined ? {} : { ftarget: target }),
  };
}
