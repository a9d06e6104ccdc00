import { math } from '../math/index.ts';
import { KernelInputError } from '../runtime/index.ts';
import type { Pointer } from '../runtime/index.ts';
import { checkTrainingSet, outputWidth } from './contract.ts';
import type { EpochReport, TrainingSet } from './contract.ts';
import { prepare, standardise } from './data.ts';
import type { Preparation, Scaling } from './data.ts';
import { initialParameters, parameterCount } from './layers.ts';
import { LIMITS } from './limits.ts';
import { checkOptions } from './options.ts';
import type { CheckedMlpOptions, MlpOptions } from './options.ts';
import { makeModel } from './model.ts';
import type { MlpModel } from './model.ts';
import { Network, instantiateMlp } from './network.ts';
import type { MlpInstance } from './network.ts';
import { scheduleFactor } from './schedule.ts';
import { divergence, isDone, watchedLoss } from './progress.ts';
import { readTrainerSnapshot, writeTrainerSnapshot } from './snapshot.ts';
import type { Progress } from './snapshot.ts';

/** Rows at which validation gains nothing from larger batches. */
const MIN_CAPACITY = 64;

/** A standardised table in the instance's memory, columns padded to a multiple of 8. */
function loadTable(instance: MlpInstance, table: Float64Array, scaling: Scaling): Pointer {
  const columns = scaling.mean.length;
  const stride = Math.ceil(columns / 8) * 8;
  const length = (table.length / columns) * stride;
  const pointer = instance.alloc(4 * length);
  standardise(table, scaling, instance.f32(pointer, length), stride);
  return pointer;
}

function loadOrder(instance: MlpInstance, rows: Uint32Array): Pointer {
  const pointer = instance.alloc(4 * rows.length);
  instance.u32(pointer, rows.length).set(rows);
  return pointer;
}

/**
 * Trains one perceptron on minibatches, an epoch at a time. The bits of the result depend on the data, the
 * options and the kernel binary alone: neither on the engine nor on where training was interrupted.
 */
export class MlpTrainer {
  readonly #data: TrainingSet;
  readonly #options: CheckedMlpOptions;
  readonly #widths: number[];
  readonly #preparation: Preparation;
  readonly #instance: MlpInstance;
  readonly #network: Network;
  readonly #inputs: Pointer;
  readonly #targets: Pointer;
  readonly #trainingRows: Pointer;
  readonly #validationRows: Pointer;
  /** Minibatches of an epoch, and where the step size of each stands. */
  readonly #steps: number;
  readonly #rates: Pointer;
  #progress: Progress = { epoch: 0, last: null, best: null };

  private constructor(module: WebAssembly.Module, data: TrainingSet, options: MlpOptions) {
    this.#options = checkOptions(options);
    this.#data = checkTrainingSet(data, this.#options.loss);
    this.#widths = [data.dimension, ...this.#options.hidden, outputWidth(data, this.#options.loss)];
    parameterCount('hidden', this.#widths);
    this.#preparation = prepare(data, this.#options);
    const { split, inputs, targets } = this.#preparation;
    const capacity = Math.max(Math.min(this.#options.batchSize, split.training.length), MIN_CAPACITY);
    const maxRows = Math.floor(LIMITS.batchNumbers / Math.max(...this.#widths));
    if (capacity > maxRows) {
      throw new KernelInputError('batchSize', `at most ${maxRows} rows for layers this wide`, this.#options.batchSize);
    }
    const instance = instantiateMlp(module);
    this.#instance = instance;
    this.#network = new Network(instance, { ...this.#options, widths: this.#widths }, capacity, 'training');
    const { dropout, beta } = this.#options;
    instance.allocating(() => {
      instance.exports.mlpConfigure(this.#network.pointer, dropout, beta);
    });
    this.#inputs = loadTable(instance, data.inputs, inputs);
    this.#targets = loadTable(instance, data.targets, targets);
    this.#trainingRows = loadOrder(instance, split.training);
    this.#validationRows = loadOrder(instance, split.validation);
    this.#steps = Math.ceil(split.training.length / this.#options.batchSize);
    this.#rates = instance.alloc(8 * this.#steps);
  }

  /** @throws KernelInputError naming the field of `data` or `options` that does not fit. */
  static create(module: WebAssembly.Module, data: TrainingSet, options: MlpOptions): MlpTrainer {
    const trainer = new MlpTrainer(module, data, options);
    const initial = initialParameters(trainer.#widths, trainer.#options.activation, trainer.#options.seed);
    trainer.#network.write(trainer.#network.parameters, initial);
    return trainer;
  }

  /**
   * Goes on from a snapshot, which holds the options but not the data.
   *
   * @throws KernelInputError when the bytes are no snapshot of this kernel, or belong to other data.
   */
  static resume(module: WebAssembly.Module, data: TrainingSet, snapshot: Uint8Array): MlpTrainer {
    const { options, progress, arenas } = readTrainerSnapshot(data, snapshot);
    const trainer = new MlpTrainer(module, data, options);
    const network = trainer.#network;
    network.write(network.parameters, arenas.parameters);
    network.write(network.firstMoment, arenas.firstMoment);
    network.write(network.secondMoment, arenas.secondMoment);
    if (arenas.best) network.write(network.best, arenas.best);
    trainer.#progress = progress;
    return trainer;
  }

  /** Epochs done. */
  get epoch(): number {
    return this.#progress.epoch;
  }

  /** Whether all epochs are done, or patience has run out. */
  get done(): boolean {
    return isDone(this.#options, this.#progress);
  }

  /**
   * One epoch.
   *
   * @throws KernelInputError (learningRate) when losses or weights stop being finite.
   * @throws Error when training is done.
   */
  step(): EpochReport {
    if (this.done) throw new Error('Training is done: there is no further epoch.');
    const trainLoss = this.#runEpoch();
    const validationLoss = this.#validate();
    const epoch = this.epoch + 1;
    if (!Number.isFinite(trainLoss) || !Number.isFinite(validationLoss ?? 0)) {
      throw divergence(this.#options, epoch);
    }
    const last = validationLoss === undefined ? { epoch, trainLoss } : { epoch, trainLoss, validationLoss };
    this.#progress = { epoch, last, best: this.#better(last) };
    return last;
  }

  #runEpoch(): number {
    const { training } = this.#preparation.split;
    const { batchSize, weightDecay, solver, seed } = this.#options;
    this.#instance.f64(this.#rates, this.#steps).set(this.#epochRates());
    this.#instance.u32(this.#trainingRows, training.length).set(training);
    return this.#instance.exports.mlpEpoch(
      this.#network.pointer,
      this.#inputs,
      this.#targets,
      this.#trainingRows,
      training.length,
      Math.min(batchSize, training.length),
      this.#rates,
      weightDecay,
      solver === 'adamw' ? 1 : 0,
      seed,
      this.epoch,
    );
  }

  /** The step size of each minibatch of the coming epoch. */
  #epochRates(): Float64Array {
    const { learningRate, schedule, epochs } = this.#options;
    const functions = math(this.#instance);
    return Float64Array.from({ length: this.#steps }, (_, batch) => {
      const t = this.epoch * this.#steps + batch;
      return learningRate * scheduleFactor(schedule, functions, t, this.#steps, epochs);
    });
  }

  #validate(): number | undefined {
    const rows = this.#preparation.split.validation.length;
    if (rows === 0) return undefined;
    const { exports } = this.#instance;
    return exports.mlpLoss(this.#network.pointer, this.#inputs, this.#targets, this.#validationRows, rows);
  }

  /** The best epoch so far; keeps the weights when it is the last one. Without patience the last is the best. */
  #better(last: EpochReport): EpochReport | null {
    if (this.#options.patience === 0) return null;
    const { best } = this.#progress;
    if (best !== null && watchedLoss(best) <= watchedLoss(last)) return best;
    this.#network.keep();
    return last;
  }

  /** Everything that is needed to go on elsewhere, but for the data: options, progress, weights, moments, best weights. */
  snapshot(): Uint8Array {
    const network = this.#network;
    const best = this.#progress.best === null ? {} : { best: network.read(network.best) };
    return writeTrainerSnapshot(this.#data, this.#options, this.#progress, {
      parameters: network.read(network.parameters),
      firstMoment: network.read(network.firstMoment),
      secondMoment: network.read(network.secondMoment),
      ...best,
    });
  }

  /** The model so far: the best weights with patience, else the last. @throws Error before the first epoch. */
  finish(): MlpModel {
    const { epoch, last, best } = this.#progress;
    const chosen = best ?? last;
    if (chosen === null) throw new Error('There is no model before the first epoch.');
    const { split, inputs, targets } = this.#preparation;
    const training = {
      rows: split.training.length,
      validationRows: split.validation.length,
      epochs: epoch,
      bestEpoch: chosen.epoch,
      trainLoss: chosen.trainLoss,
      validationLoss: chosen.validationLoss ?? null,
    };
    const parameters = this.#network.read(best === null ? this.#network.parameters : this.#network.best);
    const { activation, loss } = this.#options;
    return makeModel({ activation, loss, layers: [...this.#widths], training }, inputs, targets, parameters);
  }
}
