import { KernelInputError, requireFiniteArray, requireInteger, requireRoom } from '../runtime/index.ts';
import type { Pointer } from '../runtime/index.ts';
import { likeliest } from '../validation/index.ts';
import { lossOf, modelParameters, parseMlpModel, targetCount } from './model.ts';
import type { MlpModel } from './model.ts';
import { Network, instantiateMlp } from './network.ts';
import type { MlpInstance } from './network.ts';
import type { Loss } from './options.ts';

/** Rows that pass through the networks at once: weights are read once for all of them. */
const BATCH_ROWS = 64;
/** Rows that are copied into the instance at once. */
const CHUNK_ROWS = 512;

interface Member {
  readonly network: Network;
  /** Means and scales of the inputs, then of the targets. */
  readonly scaling: Pointer;
}

function loadMember(instance: MlpInstance, model: MlpModel): Member {
  const shape = { widths: model.layers, activation: model.activation, loss: lossOf(model) };
  const network = new Network(instance, shape, BATCH_ROWS, 'prediction');
  network.write(network.parameters, modelParameters(model));
  const { inputs, outputs } = model;
  const numbers = [...inputs.mean, ...inputs.scale, ...outputs.mean, ...outputs.scale];
  const scaling = instance.alloc(8 * numbers.length);
  instance.f64(scaling, numbers.length).set(numbers);
  return { network, scaling };
}

/** Predictions with their uncertainty by origin; each rows×K. */
export interface PredictionParts {
  readonly mean: Float64Array;
  /** √(epistemic² + aleatoric²) */
  readonly std: Float64Array;
  /** What the members do not know: the population standard deviation of their means. 0 for a single member. */
  readonly epistemic: Float64Array;
  /** The noise that they have learnt: root of the mean of their variances. 0 without a `gaussian_nll` head. */
  readonly aleatoric: Float64Array;
}

/**
 * Predictions of an ensemble, in original units. Members may differ in their layers, but not in their loss and the number of inputs
 * and outputs. Standardised inputs are clamped to ±1e6, so that predictions are finite. No unit is dropped.
 *
 * Of classifiers, `mean` holds the probabilities of the classes, averaged over members, and `std` their spread.
 *
 * @throws KernelInputError when there is no model, or models do not fit together.
 */
export class MlpPredictor {
  /** D */
  readonly dimension: number;
  /** K, or the number of classes */
  readonly outputs: number;
  readonly loss: Loss;
  readonly #instance: MlpInstance;
  readonly #members: readonly Member[];
  readonly #x: Float64Array;
  readonly #each: Float64Array;
  readonly #mean: Float64Array;
  readonly #std: Float64Array;
  /** The members' variances, one block after the other; nothing without the head. */
  readonly #variances: Float64Array;

  constructor(module: WebAssembly.Module, models: readonly MlpModel[]) {
    const [first] = models.map(parseMlpModel);
    if (first === undefined) throw new KernelInputError('models', 'at least one model', models);
    this.dimension = first.layers[0] ?? 0;
    this.loss = lossOf(first);
    this.outputs = this.loss === 'log_loss' ? (first.layers.at(-1) ?? 0) : targetCount(first);
    models.forEach((model, i) => {
      const { layers } = model;
      if (lossOf(model) !== this.loss) {
        throw new KernelInputError(`models[${i}].loss`, `${this.loss}, as the first`, model.loss);
      }
      if (layers[0] === this.dimension && layers.at(-1) === first.layers.at(-1)) return;
      throw new KernelInputError(`models[${i}].layers`, `${this.dimension} inputs and ${this.outputs} outputs`, layers);
    });
    const instance = instantiateMlp(module);
    this.#instance = instance;
    this.#members = models.map((model) => loadMember(instance, model));
    const chunk = CHUNK_ROWS * this.outputs;
    const variances = this.loss === 'gaussian_nll' ? models.length * chunk : 0;
    const lengths = [CHUNK_ROWS * this.dimension, models.length * chunk, chunk, chunk, variances];
    const pointers = lengths.map((length) => instance.alloc(8 * length));
    // Nothing takes memory from here on, so these views stay valid.
    const view = (i: number): Float64Array => instance.f64(pointers[i] ?? 0, lengths[i] ?? 0);
    [this.#x, this.#each, this.#mean, this.#std, this.#variances] = [view(0), view(1), view(2), view(3), view(4)];
  }

  /** Number of members. */
  get size(): number {
    return this.#members.length;
  }

  /**
   * @param x rows×D, row-major
   * @returns rows×K: mean over members, and the standard deviation: that of the members' means (0 for a single member), with a
   *   `gaussian_nll` head together with the noise that it gives
   * @throws KernelInputError unless `x` has rows×D finite numbers
   */
  predict(x: Float64Array, rows: number): { mean: Float64Array; std: Float64Array } {
    requireInteger('rows', rows, { min: 0 });
    const mean = new Float64Array(rows * this.outputs);
    const std = new Float64Array(rows * this.outputs);
    this.predictInto(x, rows, mean, std);
    return { mean, std };
  }

  /** As `predict`, into arrays of the caller: nothing is allocated. */
  predictInto(x: Float64Array, rows: number, mean: Float64Array, std: Float64Array): void {
    this.#check(x, rows);
    requireRoom('mean', mean, rows * this.outputs);
    requireRoom('std', std, rows * this.outputs);
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const numbers = this.#spreadChunk(x, from, Math.min(CHUNK_ROWS, rows - from));
      const place = from * this.outputs;
      copy(this.#mean, 0, mean, place, numbers);
      copy(this.#std, 0, std, place, numbers);
      if (this.loss !== 'gaussian_nll') continue;
      for (let i = 0; i < numbers; i++) {
        const epistemic = this.#std[i] ?? 0;
        std[place + i] = Math.sqrt(epistemic * epistemic + this.#noise(i, numbers));
      }
    }
  }

  /** As `predict`, with the two parts of the standard deviation (Lakshminarayanan et al. 2017, section 2.4). */
  predictParts(x: Float64Array, rows: number): PredictionParts {
    const { mean, std } = this.predict(x, rows);
    const epistemic = std.slice();
    const aleatoric = new Float64Array(std.length);
    if (this.loss !== 'gaussian_nll') return { mean, std, epistemic, aleatoric };
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const numbers = this.#spreadChunk(x, from, Math.min(CHUNK_ROWS, rows - from));
      const place = from * this.outputs;
      copy(this.#std, 0, epistemic, place, numbers);
      for (let i = 0; i < numbers; i++) aleatoric[place + i] = Math.sqrt(this.#noise(i, numbers));
    }
    return { mean, std, epistemic, aleatoric };
  }

  /** The class with the greatest averaged probability for each row; of equals the first. @throws KernelInputError unless they classify. */
  classify(x: Float64Array, rows: number): Uint32Array {
    if (this.loss !== 'log_loss') throw new KernelInputError('models', 'classifiers', this.loss);
    return likeliest(this.predict(x, rows).mean, rows, this.outputs);
  }

  /** Each member's predictions, rows×K; of classifiers, its probabilities. @throws KernelInputError as `predict`. */
  members(x: Float64Array, rows: number): Float64Array[] {
    this.#check(x, rows);
    const each = this.#members.map(() => new Float64Array(rows * this.outputs));
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, rows - from);
      const numbers = count * this.outputs;
      this.#predictChunk(x, from, count);
      each.forEach((out, member) => copy(this.#each, member * numbers, out, from * this.outputs, numbers));
    }
    return each;
  }

  #check(x: Float64Array, rows: number): void {
    requireInteger('rows', rows, { min: 0 });
    requireFiniteArray('x', x, rows * this.dimension);
  }

  /** Fills `mean` and `std` with those over the members; gives how many numbers there are. */
  #spreadChunk(x: Float64Array, from: number, count: number): number {
    const numbers = count * this.outputs;
    this.#predictChunk(x, from, count);
    const { exports } = this.#instance;
    exports.mlpSpread(this.#each.byteOffset, this.size, numbers, this.#mean.byteOffset, this.#std.byteOffset);
    return numbers;
  }

  /** Mean of the members' variances for number `i` of a chunk. */
  #noise(i: number, numbers: number): number {
    let sum = 0;
    for (let member = 0; member < this.size; member++) sum += this.#variances[member * numbers + i] ?? 0;
    return sum / this.size;
  }

  /** Fills `each` and `variances` with what the members say, one block of count×K after the other. */
  #predictChunk(x: Float64Array, from: number, count: number): void {
    copy(x, from * this.dimension, this.#x, 0, count * this.dimension);
    const { exports } = this.#instance;
    const bytes = 8 * count * this.outputs;
    let out = this.#each.byteOffset;
    let variance = this.#variances.byteOffset;
    for (const { network, scaling } of this.#members) {
      exports.mlpPredict(network.pointer, scaling, this.#x.byteOffset, count, out, variance);
      out += bytes;
      variance += bytes;
    }
  }
}

/** A loop, because `subarray` would make an object for each call. */
function copy(from: Float64Array, fromIndex: number, to: Float64Array, toIndex: number, count: number): void {
  for (let i = 0; i < count; i++) to[toIndex + i] = from[fromIndex + i] ?? 0;
}
