import { math } from '../math/index.ts';
import type { MathExports } from '../math/index.ts';
import { checkOptions, checkTrainingSet } from './contract.ts';
import type { GpOptions, GpReport, TrainingSet } from './contract.ts';
import { addPrior, fromTheta, startTheta, thetaBox } from './hyperparameters.ts';
import type { Theta } from './hyperparameters.ts';
import { makeModel } from './model.ts';
import type { GpModel, OutputModel } from './model.ts';
import { descend, startDescent } from './optimiser.ts';
import type { Box, Descent, Evaluation } from './optimiser.ts';
import { GaussianProcess, instantiateGp, requireFactor } from './process.ts';
import { readTrainerSnapshot, writeTrainerSnapshot } from './snapshot.ts';
import type { Progress, Summit } from './snapshot.ts';
import { scaleTable } from './tables.ts';
import type { ScaledTable } from './tables.ts';

const better = (a: Summit | null, b: Summit | null): Summit | null => (b && (a === null || b.value < a.value) ? b : a);

/**
 * Finds the hyper-parameters of exact Gaussian processes, one for each target, by climbing the log marginal likelihood from
 * several starts (Rasmussen & Williams 2006, algorithm 2.1 and section 5.4.1). A step is one iteration of one climb. The bits
 * of the result depend on the data, the options and the kernel binary alone.
 */
export class GpTrainer {
  readonly #data: TrainingSet;
  readonly #options: GpOptions;
  readonly #table: ScaledTable;
  readonly #math: MathExports;
  readonly #process: GaussianProcess;
  readonly #box: Box;
  #loaded = -1;
  #progress: Progress;

  private constructor(module: WebAssembly.Module, data: TrainingSet, options: GpOptions, progress?: Progress) {
    this.#data = data;
    this.#options = options;
    this.#table = scaleTable(data);
    const instance = instantiateGp(module);
    this.#math = math(instance);
    this.#process = new GaussianProcess(instance, this.#table, options, 'training');
    this.#box = thetaBox(this.#math, options, data.dimension);
    const best = this.#table.targets.map(() => null);
    this.#progress = progress ?? { output: this.#nextOutput(0), start: 0, descent: null, best };
  }

  /** @throws KernelInputError naming the field of `data` or `options` that does not fit. */
  static create(module: WebAssembly.Module, data: TrainingSet, options: Partial<GpOptions> = {}): GpTrainer {
    return new GpTrainer(module, checkTrainingSet(data), checkOptions(options));
  }

  /**
   * Goes on from a snapshot, which holds the options but not the data.
   *
   * @throws KernelInputError when the bytes are no snapshot of this kernel, or belong to other data.
   */
  static resume(module: WebAssembly.Module, data: TrainingSet, snapshot: Uint8Array): GpTrainer {
    const { options, progress } = readTrainerSnapshot(checkTrainingSet(data), snapshot);
    return new GpTrainer(module, data, options, progress);
  }

  /** Whether all climbs have ended. */
  get done(): boolean {
    return this.#progress.output >= this.#data.outputs;
  }

  /** Climbs that have ended, of all that there will be; those of constant targets count as ended. */
  get climbs(): { readonly done: number; readonly total: number } {
    const { output, start } = this.#progress;
    return { done: output * this.#options.starts + start, total: this.#data.outputs * this.#options.starts };
  }

  /** One iteration. @throws Error when training is done. */
  step(): GpReport {
    if (this.done) throw new Error('Training is done: there is no further iteration.');
    const { output, start, best } = this.#progress;
    const evaluate = this.#evaluator(output);
    const descent = descend(this.#progress.descent ?? this.#begin(evaluate), this.#box, evaluate);
    if (descent.done || descent.iteration >= this.#options.maxIterations) {
      const summits = best.map((summit, k) => (k === output ? better(summit, descent) : summit));
      this.#progress = { ...this.#following(), descent: null, best: summits };
    } else {
      this.#progress = { ...this.#progress, descent };
    }
    return { output, start, iteration: descent.iteration, logMarginalLikelihood: this.#likelihood(descent) };
  }

  #begin(evaluate: (theta: Theta) => Evaluation): Descent {
    const { output, start } = this.#progress;
    return startDescent(
      startTheta(this.#math, this.#options, this.#data.dimension, output, start),
      this.#box,
      evaluate,
    );
  }

  #following(): { output: number; start: number } {
    const { output, start } = this.#progress;
    return start + 1 < this.#options.starts
      ? { output, start: start + 1 }
      : { output: this.#nextOutput(output + 1), start: 0 };
  }

  /** The first target from `output` on that varies. */
  #nextOutput(output: number): number {
    const varies = this.#table.targets.findIndex((target, k) => k >= output && target.varies);
    return varies === -1 ? this.#data.outputs : varies;
  }

  /** Minus the log posterior of θ, and its gradient. */
  #evaluator(output: number): (theta: Theta) => Evaluation {
    this.#load(output);
    return (theta) => {
      const jitter = this.#process.condition(fromTheta(this.#math, theta));
      if (jitter === undefined) return { value: Infinity, gradient: new Float64Array(theta.length) };
      const gradient = this.#process.gradient();
      const value = this.#process.likelihood + addPrior(this.#math, this.#options.prior, theta, gradient);
      const finite = Number.isFinite(value) && gradient.every((g) => Number.isFinite(g));
      return { value: finite ? -value : Infinity, gradient: gradient.map((g) => -g) };
    };
  }

  #load(output: number): void {
    const target = this.#table.targets[output];
    if (target === undefined || this.#loaded === output) return;
    this.#process.setTargets(target.values);
    this.#loaded = output;
  }

  #likelihood({ x, value }: Summit): number {
    return -value - addPrior(this.#math, this.#options.prior, x, new Float64Array(x.length));
  }

  /** Everything that is needed to go on elsewhere, but for the data. */
  snapshot(): Uint8Array {
    return writeTrainerSnapshot(this.#data, this.#options, this.#progress);
  }

  /** The model with the best hyper-parameters so far; before the first iteration of a target these are the first start's. */
  finish(): GpModel {
    const { output, descent, best } = this.#progress;
    const outputs = best.map((summit, k): OutputModel => {
      const reached = better(summit, k === output ? descent : null);
      const theta = reached?.x ?? this.#firstTheta(k);
      this.#load(k);
      const parameters = fromTheta(this.#math, theta);
      const jitter = requireFactor('bounds', this.#process.condition(parameters));
      return { ...parameters, jitter, logMarginalLikelihood: this.#process.likelihood };
    });
    return makeModel(this.#data, this.#options, outputs);
  }

  #firstTheta(output: number): Theta {
    const { lower, upper } = this.#box;
    const theta = startTheta(this.#math, this.#options, this.#data.dimension, output, 0);
    return theta.map((value, i) => Math.min(Math.max(value, lower[i] ?? 0), upper[i] ?? 0));
  }
}
