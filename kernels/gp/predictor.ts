import { KernelInputError, requireFiniteArray, requireInteger, requireRoom } from '../runtime/index.ts';
import type { Pointer } from '../runtime/index.ts';
import { LIMITS } from './contract.ts';
import { modelData, parseGpModel } from './model.ts';
import type { GpModel } from './model.ts';
import { GaussianProcess, instantiateGp, requireFactor } from './process.ts';
import type { GpInstance } from './process.ts';
import { JointSampler } from './samples.ts';
import { scaled } from './scaling.ts';
import { scaleTable } from './tables.ts';
import type { ScaledTable, ScaledTarget } from './tables.ts';

/** Points that are predicted at once: the factor is read once for all of them. */
const CHUNK_ROWS = 64;

/** One target's process, and its way back to original units. */
interface Member {
  readonly process: Pointer;
  readonly signalVariance: number;
  readonly noiseVariance: number;
  readonly target: ScaledTarget;
}

export interface Prediction {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

export interface SampleOptions {
  /** Samples, 1 to 10,000. */
  readonly samples: number;
  /** 0 to 2⁵³ − 1. */
  readonly seed: number;
  /** Default: 0. */
  readonly stream?: number;
}

function loadMembers(instance: GpInstance, model: GpModel, table: ScaledTable): Member[] {
  return model.outputs.map((output, k) => {
    const target = table.targets[k];
    if (target === undefined) throw new KernelInputError('outputs', 'as many as there are targets', model.outputs);
    const process = new GaussianProcess(instance, table, model, 'prediction');
    process.setTargets(target.values);
    requireFactor(`outputs[${k}]`, process.condition(output, output.jitter));
    return { ...output, process: process.pointer, target };
  });
}

/**
 * Predictions of Gaussian processes, one for each target, in original units. Scaled inputs are clamped to ±1e6, so that
 * predictions are finite; far from all rows they are the constant mean and σ_f.
 *
 * @throws KernelInputError when the model is none, or its hyper-parameters do not fit its rows.
 */
export class GpPredictor {
  /** D */
  readonly dimension: number;
  /** K */
  readonly outputs: number;
  readonly #instance: GpInstance;
  readonly #members: readonly Member[];
  readonly #table: ScaledTable;
  readonly #x: Pointer;
  readonly #v: Pointer;
  readonly #moments: Pointer;
  readonly #sampler: JointSampler;

  constructor(module: WebAssembly.Module, model: GpModel) {
    const parsed = parseGpModel(model);
    this.dimension = parsed.dimension;
    this.outputs = parsed.outputs.length;
    this.#table = scaleTable(modelData(parsed));
    const instance = instantiateGp(module);
    this.#instance = instance;
    this.#members = loadMembers(instance, parsed, this.#table);
    this.#x = instance.alloc(8 * CHUNK_ROWS * this.dimension);
    this.#v = instance.alloc(8 * CHUNK_ROWS * Math.ceil(parsed.rows / 4) * 4);
    this.#moments = instance.alloc(8 * 2 * Math.max(CHUNK_ROWS, parsed.rows));
    this.#sampler = new JointSampler(instance, parsed.rows, parsed.dimension);
  }

  /**
   * @param x rows×D, row-major
   * @param noise whether `std` is that of a new observation, noise included, instead of that of the function
   * @returns rows×K
   * @throws KernelInputError unless `x` has rows×D finite numbers
   */
  predict(x: Float64Array, rows: number, noise = false): Prediction {
    requireInteger('rows', rows, { min: 0 });
    const mean = new Float64Array(rows * this.outputs);
    const std = new Float64Array(rows * this.outputs);
    this.predictInto(x, rows, mean, std, noise);
    return { mean, std };
  }

  /** As `predict`, into arrays of the caller. */
  predictInto(x: Float64Array, rows: number, mean: Float64Array, std: Float64Array, noise = false): void {
    this.#check(x, rows);
    requireRoom('mean', mean, rows * this.outputs);
    requireRoom('std', std, rows * this.outputs);
    const { exports } = this.#instance;
    const means = this.#instance.f64(this.#moments, CHUNK_ROWS);
    const variances = this.#instance.f64(this.#moments + 8 * CHUNK_ROWS, CHUNK_ROWS);
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, rows - from);
      this.#write(this.#x, x, from, count);
      this.#members.forEach(({ process, noiseVariance, target }, k) => {
        exports.gpPredict(process, this.#x, count, this.#v, means.byteOffset, variances.byteOffset);
        for (let row = 0; row < count; row++) {
          const place = (from + row) * this.outputs + k;
          mean[place] = target.offset + target.scale * (means[row] ?? 0);
          std[place] = target.scale * Math.sqrt((variances[row] ?? 0) + (noise ? noiseVariance : 0));
        }
      });
    }
  }

  /**
   * What is said about each training row by all others: eq. 5.12 of Rasmussen & Williams, N×K, of observations, noise included.
   * Hyper-parameters, mean and scalings are those of all rows.
   */
  leaveOneOut(): Prediction {
    const { rows } = this.#table;
    const mean = new Float64Array(rows * this.outputs);
    const std = new Float64Array(rows * this.outputs);
    this.#members.forEach(({ process, target }, k) => {
      const { exports } = this.#instance;
      this.#instance.allocating(() => exports.gpLeaveOneOut(process, this.#moments, this.#moments + 8 * rows));
      const moments = this.#instance.f64(this.#moments, 2 * rows);
      for (let row = 0; row < rows; row++) {
        mean[row * this.outputs + k] = target.offset + target.scale * (moments[row] ?? 0);
        std[row * this.outputs + k] = target.scale * Math.sqrt(moments[rows + row] ?? 0);
      }
    });
    return { mean, std };
  }

  /**
   * Samples of the functions at all points jointly, for Thompson sampling. Targets are independent of each other.
   *
   * @param x rows×D, row-major, at most 2000 rows; equal rows get nearly equal values (jitter of up to 1e-4·σ_f²)
   * @returns samples×rows×K
   * @throws KernelInputError naming what does not fit
   */
  sample(x: Float64Array, rows: number, { samples, seed, stream = 0 }: SampleOptions): Float64Array {
    requireInteger('rows', rows, { min: 0, max: LIMITS.samplePoints });
    requireInteger('samples', samples, { min: 1, max: LIMITS.samples });
    this.#check(x, rows);
    const out = new Float64Array(samples * rows * this.outputs);
    if (rows === 0) return out;
    const points = new Float64Array(rows * this.dimension);
    this.#scale(points, x, 0, rows);
    this.#members.forEach(({ process, signalVariance, target }, k) => {
      const random = { samples, seed, stream: stream * this.outputs + k };
      const draws = this.#sampler.draw(process, points, signalVariance, random);
      draws.forEach((value, i) => (out[i * this.outputs + k] = target.offset + target.scale * value));
    });
    return out;
  }

  #check(x: Float64Array, rows: number): void {
    requireInteger('rows', rows, { min: 0 });
    requireFiniteArray('x', x, rows * this.dimension);
  }

  #write(pointer: Pointer, x: Float64Array, from: number, count: number): void {
    this.#scale(this.#instance.f64(pointer, count * this.dimension), x, from, count);
  }

  #scale(out: Float64Array, x: Float64Array, from: number, count: number): void {
    const { box } = this.#table;
    for (let row = 0; row < count; row++) {
      for (let d = 0; d < this.dimension; d++) {
        out[row * this.dimension + d] = scaled(x[(from + row) * this.dimension + d] ?? 0, box, d);
      }
    }
  }
}
