import { packRecords } from '../../gpu/index.ts';
import type { Binding, GpuDevice, Program } from '../../gpu/index.ts';
import { standardise } from '../data.ts';
import type { Scaling } from '../data.ts';
import { modelParameters } from '../model.ts';
import type { MlpModel } from '../model.ts';
import { networkLayout } from './layout.ts';
import type { NetworkLayout } from './layout.ts';
import { DISPATCH_OPERATIONS, RECORD_BYTES } from './spans.ts';

/** Group 0 of predict.wgsl. */
const BINDINGS: readonly Binding[] = ['uniform', 'write', 'write', 'record', 'read', 'read', 'write'];
const SPAN_BYTES = 16;

/** Rows of a block, which one workgroup takes at a time. */
const BLOCK_ROWS = 64;
/** Enough workgroups to fill a large GPU; each has a scratch of its own. */
const WORKGROUPS = 1024;

const scalingOf = ({ mean, scale }: MlpModel['inputs']): Scaling => ({
  mean: Float64Array.from(mean),
  scale: Float64Array.from(scale),
});

/** Models with equal layers and activation, on a device. */
export class GpuEnsemble {
  readonly #device: GpuDevice;
  readonly #program: Program;
  readonly #models: readonly MlpModel[];
  readonly #layout: NetworkLayout;
  readonly #dimension: number;
  readonly #outputs: number;
  /** The distinct scalings of inputs, and which of them each model has. */
  readonly #scalings: readonly Scaling[];
  readonly #scalingOf: readonly number[];
  readonly #shape: GPUBuffer;
  readonly #arenas: GPUBuffer;

  /** @param models checked, at least one */
  constructor(device: GpuDevice, models: readonly MlpModel[]) {
    const [first] = models;
    if (first === undefined) throw new Error('an ensemble has models');
    this.#device = device;
    this.#models = models;
    this.#program = device.program('mlp/group/predict', BINDINGS);
    this.#layout = networkLayout(first.layers, first.activation, 1, BLOCK_ROWS);
    this.#dimension = first.layers[0] ?? 0;
    this.#outputs = first.layers.at(-1) ?? 0;
    const keys = models.map(({ inputs }) => JSON.stringify(inputs));
    const distinct = [...new Set(keys)];
    this.#scalings = distinct.map((key) => scalingOf(JSON.parse(key) as MlpModel['inputs']));
    this.#scalingOf = keys.map((key) => distinct.indexOf(key));
    const arenas = new Float32Array(models.length * this.#layout.parameters);
    models.forEach((model, m) => arenas.set(modelParameters(model), m * this.#layout.parameters));
    this.#shape = device.upload('uniform', this.#layout.shape);
    this.#arenas = device.upload('storage', arenas);
  }

  /**
   * Each model's predictions in original units.
   *
   * @param x rows×D
   * @returns for each model rows×K
   * @throws GpuError
   */
  async predict(x: Float64Array, rows: number): Promise<Float64Array[]> {
    const device = this.#device;
    const tableLength = rows * this.#dimension;
    const tables = new Float32Array(this.#scalings.length * tableLength);
    this.#scalings.forEach((scaling, i) => {
      standardise(x, scaling, tables.subarray(i * tableLength), this.#dimension);
    });
    const places = Uint32Array.from(this.#scalingOf, (index) => index * tableLength);
    const size = this.#models.length;
    const across = Math.max(1, Math.min(Math.ceil(rows / BLOCK_ROWS), Math.floor(WORKGROUPS / size)));
    const spans = this.#spans(rows, across);
    const outputBytes = 4 * size * rows * this.#outputs;
    const taken = [
      device.storage(4 * size * across * this.#layout.scratchStride),
      device.upload(
        'uniform',
        packRecords(
          spans.map(({ words }) => words.map((u32) => ({ u32 }))),
          RECORD_BYTES,
        ),
      ),
      device.upload('storage', places),
      device.upload('storage', tables),
      device.storage(outputBytes),
    ] as const;
    const [scratch, spanBuffer, placeBuffer, inputs, outputs] = taken;
    const bindings = this.#program.bind([
      { buffer: this.#shape },
      { buffer: this.#arenas },
      { buffer: scratch },
      { buffer: spanBuffer, bytes: SPAN_BYTES },
      { buffer: placeBuffer },
      { buffer: inputs },
      { buffer: outputs },
    ]);
    const pipeline = await this.#program.pipeline('predict');
    spans.forEach((_, i) => {
      device
        .commands()
        .dispatch(pipeline, bindings, [across, size], RECORD_BYTES * i)
        .submit();
    });
    const standardised = new Float32Array(await device.read(outputs, 0, outputBytes));
    for (const buffer of taken) device.buffers.giveBack(buffer);
    return this.#models.map((model, m) => this.#rescale(model, standardised, m, rows));
  }

  /** Parts of the rows, none of them too much for one dispatch, in whole rounds of all workgroups. */
  #spans(rows: number, across: number): { readonly words: readonly number[] }[] {
    const round = across * BLOCK_ROWS;
    const atOnce = DISPATCH_OPERATIONS / (2 * this.#layout.parameters * this.#models.length);
    const length = round * Math.max(1, Math.floor(atOnce / round));
    return Array.from({ length: Math.ceil(rows / length) }, (_, i) => ({
      words: [i * length, Math.min(rows, (i + 1) * length), rows, 0],
    }));
  }

  #rescale({ outputs }: MlpModel, standardised: Float32Array, m: number, rows: number): Float64Array {
    const columns = this.#outputs;
    const out = new Float64Array(rows * columns);
    for (let i = 0; i < out.length; i++) {
      const column = i % columns;
      out[i] =
        (outputs.mean[column] ?? 0) + (outputs.scale[column] ?? 1) * (standardised[m * rows * columns + i] ?? NaN);
    }
    return out;
  }

  /** Gives the memory on the device back. */
  release(): void {
    this.#device.buffers.giveBack(this.#shape);
    this.#device.buffers.giveBack(this.#arenas);
  }
}
