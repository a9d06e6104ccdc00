import { Rng } from '../rng/index.ts';
import { KernelInputError } from '../runtime/index.ts';
import type { Pointer } from '../runtime/index.ts';
import { LIMITS } from './contract.ts';
import { withJitter } from './process.ts';
import type { GpInstance } from './process.ts';

const padded = (rows: number): number => Math.ceil(rows / 4) * 4;

/** Draws functions of one process at several points jointly. */
export class JointSampler {
  readonly #instance: GpInstance;
  /** Training rows, padded. */
  readonly #order: number;
  readonly #dimension: number;
  /** Points for which there is room in `#block`; it is kept, because memory is never given back. */
  #capacity = 0;
  #block: Pointer = 0;

  constructor(instance: GpInstance, trainingRows: number, dimension: number) {
    this.#instance = instance;
    this.#order = padded(trainingRows);
    this.#dimension = dimension;
  }

  /** Doubles of: x, V, z, the mean, the covariance, its factor, deviates, a sample. */
  #lengths(rows: number): number[] {
    const n = padded(rows);
    return [n * this.#dimension, n * this.#order, n * this.#dimension, n, n * n, n * n, n, n];
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#capacity = Math.max(rows, Math.min(2 * this.#capacity, LIMITS.samplePoints));
    this.#block = this.#instance.alloc(8 * this.#lengths(this.#capacity).reduce((sum, length) => sum + length, 0));
  }

  /**
   * Samples m + L·z with L·Lᵀ the posterior covariance (Rasmussen & Williams 2006, eq. 2.24 and A.2).
   *
   * @param points scaled, rows×D
   * @returns samples×rows, scaled
   * @throws KernelInputError (x) when no jitter makes the covariance positive definite
   */
  draw(
    process: Pointer,
    points: Float64Array,
    signalVariance: number,
    { samples, seed, stream }: { readonly samples: number; readonly seed: number; readonly stream: number },
  ): Float64Array {
    const { exports } = this.#instance;
    const rows = points.length / this.#dimension;
    this.#reserve(rows);
    let place = this.#block;
    const pointers = this.#lengths(rows).map((length) => (place += 8 * length) - 8 * length);
    const [x = 0, v = 0, z = 0, mean = 0, covariance = 0, factor = 0, normals = 0, out = 0] = pointers;
    this.#instance.f64(x, points.length).set(points);
    exports.gpPosterior(process, x, rows, v, z, mean, covariance);
    const factorise = (amount: number): boolean => exports.gpFactorPosterior(covariance, rows, amount, factor) === 1;
    if (withJitter(signalVariance, factorise) === undefined) {
      throw new KernelInputError('x', 'points whose joint distribution has a density', points);
    }
    const rng = new Rng(seed, stream);
    const deviates = this.#instance.f64(normals, rows);
    const result = new Float64Array(samples * rows);
    for (let sample = 0; sample < samples; sample++) {
      for (let row = 0; row < rows; row++) deviates[row] = rng.normal();
      exports.gpSample(factor, rows, mean, normals, out);
      result.set(this.#instance.f64(out, rows), sample * rows);
    }
    return result;
  }
}
