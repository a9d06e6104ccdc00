import { GpuError } from '../../gpu/index.ts';
import { requireFiniteArray, requireInteger } from '../../runtime/index.ts';
import { lossOf } from '../model.ts';
import type { MlpModel } from '../model.ts';
import { MlpPredictor } from '../predictor.ts';
import type { Placement } from './contract.ts';
import { GpuEnsemble } from './gpu-ensemble.ts';
import type { GroupResources } from './group.ts';
import { groupIndices } from './support.ts';

/** Rows that are on the device at once. */
const CHUNK_ROWS = 4096;

interface Share {
  readonly ensemble: GpuEnsemble;
  /** Which of the models it has. */
  readonly members: readonly number[];
}

/**
 * Predictions of an ensemble as `MlpPredictor` gives them, within GROUP_TOLERANCE, from a GPU where there is one: for many rows or many
 * members at once. Where there is none, or it fails, they come from WASM.
 */
export class MlpGroupPredictor {
  readonly #predictor: MlpPredictor;
  readonly #shares: readonly Share[];
  #placement: Placement;

  /** @throws KernelInputError as `MlpPredictor` */
  constructor({ module, gpu }: GroupResources, models: readonly MlpModel[]) {
    this.#predictor = new MlpPredictor(module, models);
    const missing = gpu.type === 'absent' ? gpu.reason : missingHead(models);
    if (gpu.type === 'absent' || missing !== null) {
      this.#shares = [];
      this.#placement = { backend: 'wasm', reason: missing ?? '' };
      return;
    }
    const shapes = groupIndices(models, ({ layers, activation }) => JSON.stringify([layers, activation]));
    this.#shares = shapes.map((members) => ({
      ensemble: new GpuEnsemble(
        gpu.device,
        members.flatMap((m) => models[m] ?? []),
      ),
      members,
    }));
    this.#placement = { backend: 'webgpu', reason: gpu.device.adapter };
  }

  /** Where predictions come from, and why from there. */
  get placement(): Placement {
    return this.#placement;
  }

  /**
   * @param x rows×D, row-major
   * @returns rows×K: mean over members, and the population standard deviation of the members (0 for a single one)
   * @throws KernelInputError unless `x` has rows×D finite numbers
   */
  async predict(x: Float64Array, rows: number): Promise<{ mean: Float64Array; std: Float64Array }> {
    const { dimension, outputs } = this.#predictor;
    requireInteger('rows', rows, { min: 0 });
    requireFiniteArray('x', x, rows * dimension);
    if (this.#placement.backend === 'wasm') return this.#predictor.predict(x, rows);
    const mean = new Float64Array(rows * outputs);
    const std = new Float64Array(rows * outputs);
    try {
      for (let from = 0; from < rows; from += CHUNK_ROWS) {
        const count = Math.min(CHUNK_ROWS, rows - from);
        const each = await this.#members(x.subarray(from * dimension, (from + count) * dimension), count);
        spread(each, mean, std, from * outputs);
      }
    } catch (error) {
      if (!(error instanceof GpuError)) throw error;
      this.#placement = { backend: 'wasm', reason: error.message };
      return this.#predictor.predict(x, rows);
    }
    return { mean, std };
  }

  /** Each member's predictions, in the order of the models. */
  async #members(x: Float64Array, rows: number): Promise<Float64Array[]> {
    const each: Float64Array[] = Array.from({ length: this.#predictor.size }, () => new Float64Array(0));
    for (const { ensemble, members } of this.#shares) {
      const predictions = await ensemble.predict(x, rows);
      members.forEach((m, k) => (each[m] = predictions[k] ?? new Float64Array(0)));
    }
    return each;
  }

  /** Gives the memory on the device back. */
  close(): void {
    for (const { ensemble } of this.#shares) ensemble.release();
  }
}

/** A head that the shaders lack, in words. */
function missingHead(models: readonly MlpModel[]): string | null {
  const other = models.map(lossOf).find((loss) => loss !== 'squared_error');
  return other === undefined ? null : `The GPU version has no loss "${other}".`;
}

/** Mean and population standard deviation over members, as `MlpPredictor` has them. */
function spread(each: readonly Float64Array[], mean: Float64Array, std: Float64Array, at: number): void {
  const count = each[0]?.length ?? 0;
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (const member of each) sum += member[i] ?? NaN;
    const average = sum / each.length;
    let squares = 0;
    for (const member of each) squares += ((member[i] ?? NaN) - average) * ((member[i] ?? NaN) - average);
    mean[at + i] = average;
    std[at + i] = Math.sqrt(squares / each.length);
  }
}
