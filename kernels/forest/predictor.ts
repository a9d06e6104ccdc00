import { requireFiniteArray, requireInteger, requireRoom } from '../runtime/index.ts';
import { likeliest } from '../validation/index.ts';
import { CHUNK_ROWS, LinkedForest } from './linked.ts';
import { readForest } from './model.ts';
import type { ForestModel } from './model.ts';

/**
 * Predictions of a forest. For regression K = 1: the mean of what the trees say, and their population standard deviation.
 * This spread says how far trees from other bags would disagree; noise of the targets shows in it only as far as leaves
 * with few rows carry it along. For classification K = C: the mean share of each class in the leaves, and its spread.
 *
 * @throws KernelInputError when the model is not one.
 */
export class ForestPredictor {
  /** D */
  readonly dimension: number;
  /** K */
  readonly outputs: number;
  readonly #forest: LinkedForest;

  constructor(module: WebAssembly.Module, model: ForestModel) {
    this.#forest = new LinkedForest(module, readForest(model));
    this.dimension = this.#forest.dimension;
    this.outputs = this.#forest.outputs;
  }

  /** Number of trees. */
  get size(): number {
    return this.#forest.trees.length;
  }

  /**
   * @param x rows×D, row-major
   * @returns rows×K each
   * @throws KernelInputError unless `x` has rows×D finite numbers
   */
  predict(x: Float64Array, rows: number): { mean: Float64Array; std: Float64Array } {
    requireInteger('rows', rows, { min: 0 });
    const mean = new Float64Array(rows * this.outputs);
    const std = new Float64Array(rows * this.outputs);
    this.predictInto(x, rows, mean, std);
    return { mean, std };
  }

  /** As `predict`, into arrays of the caller. */
  predictInto(x: Float64Array, rows: number, mean: Float64Array, std: Float64Array): void {
    requireInteger('rows', rows, { min: 0 });
    requireFiniteArray('x', x, rows * this.dimension);
    requireRoom('mean', mean, rows * this.outputs);
    requireRoom('std', std, rows * this.outputs);
    const forest = this.#forest;
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, rows - from);
      forest.x.set(x.subarray(from * this.dimension, (from + count) * this.dimension));
      forest.predict(count);
      mean.set(forest.mean.subarray(0, count * this.outputs), from * this.outputs);
      std.set(forest.std.subarray(0, count * this.outputs), from * this.outputs);
    }
  }

  /** The likeliest class of each row, the lowest of equals. @throws KernelInputError as `predict`. */
  classify(x: Float64Array, rows: number): Uint32Array {
    const { mean } = this.predict(x, rows);
    return likeliest(mean, rows, this.outputs);
  }

  /** What each tree says, rows×K. @throws KernelInputError as `predict`. */
  members(x: Float64Array, rows: number): Float64Array[] {
    requireInteger('rows', rows, { min: 0 });
    requireFiniteArray('x', x, rows * this.dimension);
    const forest = this.#forest;
    const each = forest.trees.map(() => new Float64Array(rows * this.outputs));
    for (let from = 0; from < rows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, rows - from);
      forest.x.set(x.subarray(from * this.dimension, (from + count) * this.dimension));
      forest.trees.forEach((tree, i) => {
        const out = each[i]?.subarray(from * this.outputs, (from + count) * this.outputs);
        if (out) forest.predictTree(tree, count, out);
      });
    }
    return each;
  }
}
