import { KernelInputError, requireFiniteArray, requireInteger } from '../runtime/index.ts';
import type { Pointer } from '../runtime/index.ts';
import { modelParameters, parseMlpModel } from './model.ts';
import type { MlpModel } from './model.ts';
import { Network, instantiateMlp } from './network.ts';
import type { MlpInstance } from './network.ts';

/** Rows that pass through the networks at once: weights are read once for all of them. */
const BATCH_ROWS = 64;
/** Rows that are copied into the instance at once. */
const CHUNK_ROWS = 512;

interface Member {
  readonly network: Network;
  /** Means and scales of the inputs, then of the outputs. */
  readonly scaling: Pointer;
}

function loadMember(instance: MlpInstance, model: MlpModel): Member {
  const network = new Network(instance, model.layers, model.activation, BATCH_ROWS, 'prediction');
  network.write(network.parameters, modelParameters(model));
  const { inputs, outputs } = model;
  const numbers = [...inputs.mean, ...inputs.scale, ...outputs.mean, ...outputs.scale];
  const scaling = instance.alloc(8 * numbers.length);
  instance.f64(scaling, numbers.length).set(numbers);
  return { network, scaling };
}

/**
 * Predictions of an ensemble, in original units. Members may differ in their layers, but not in the number of inputs
 * and outputs. Standardised inputs are clamped to ±1e6, so that predictions are finite.
 *
 * @throws KernelInputError when there is no model, or models do not fit together.
 */
export class MlpPredictor {
  /** D */
  readonly dimension: number;
  /** K */
  readonly outputs: number;
  readonly #instance: MlpInstance;
  readonly #members: readonly Member[];
  readonly #x: Float64Array;
  readonly #each: Float64Array;
  readonly #mean: Float64Array;
  readonly #std: Float64Array;

  constructor(module: WebAssembly.Module, models: readonly MlpModel[]) {
    const [first] = models.map(parseMlpModel);
    if (first === undefined) throw new KernelInputError('models', 'at least one model', models);
    this.dimension = first.layers[0] ?? 0;
    this.outputs = first.layers.at(-1) ?? 0;
    models.forEach(({ layers }, i) => {
      if (layers[0] === this.dimension && layers.at(-1) === this.outputs) return;
      throw new KernelInputError(`models[${i}].layers`, `${this.dimension} inputs and ${this.outputs} outputs`, layers);
    });
    const instance = instantiateMlp(module);
    this.#instance = instance;
    this.#members = models.map((model) => loadMember(instance, model));
    const chunk = CHUNK_ROWS * this.outputs;
    const lengths = [CHUNK_ROWS * this.dimension, models.length * chunk, chunk, chunk];
    const pointers = lengths.map((length) => instance.alloc(8 * length));
    // Nothing takes memory from here on, so these views stay valid.
    const view = (i: number): Float64Array => instance.f64(pointers[i] ?? 0, lengths[i] ?? 0);
    [this.#x, this.#each, this.#mean, this.#std] = [view(0), view(1), view(2), view(3)];
  }

  /** Number of members. */
  get size(): number {
    return this.#members.length;
  }

  /**
   * @param x rows×D, row-major
   * @returns rows×K: mean over members, and their population standard deviation (0 for a single member)
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
    requireLength('mean', mean, rows * this.outputs);
    requireLength('std', std, rows * this.outputs);
    const { exports } = this.#instance;
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, rows - from);
      const numbers = count * this.outputs;
      this.#predictChunk(x, from, count);
      exports.mlpSpread(this.#each.byteOffset, this.size, numbers, this.#mean.byteOffset, this.#std.byteOffset);
      copy(this.#mean, 0, mean, from * this.outputs, numbers);
      copy(this.#std, 0, std, from * this.outputs, numbers);
    }
  }

  /** Each member's predictions, rows×K. @throws KernelInputError as `predict`. */
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

  /** Fills `each` with the members' predictions, one block of count×K after the other. */
  #predictChunk(x: Float64Array, from: number, count: number): void {
    copy(x, from * this.dimension, this.#x, 0, count * this.dimension);
    const bytes = 8 * count * this.outputs;
    let out = this.#each.byteOffset;
    for (const { network, scaling } of this.#members) {
      this.#instance.exports.mlpPredict(network.pointer, scaling, this.#x.byteOffset, count, out);
      out += bytes;
    }
  }
}

function requireLength(field: string, values: Float64Array, length: number): void {
  if (values.length !== length) throw new KernelInputError(field, `room for ${length} numbers`, values);
}

/** A loop, because `subarray` would make an object for each call. */
function copy(from: Float64Array, fromIndex: number, to: Float64Array, toIndex: number, count: number): void {
  for (let i = 0; i < count; i++) to[toIndex + i] = from[fromIndex + i] ?? 0;
}
