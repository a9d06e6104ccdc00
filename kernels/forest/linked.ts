import { instantiate } from '../runtime/index.ts';
import type { KernelInstance, Pointer } from '../runtime/index.ts';
import type { ForestExports } from './exports.ts';
import type { ForestModel } from './model.ts';
import type { Tree } from './tree.ts';

/** Rows that are copied into the instance at once. */
export const CHUNK_ROWS = 512;

const NODE_BYTES = 16;

export interface LinkedTree {
  readonly nodes: Pointer;
  readonly leaves: Pointer;
}

/** Room for a tree on its way. */
interface Scratch {
  readonly features: Pointer;
  readonly thresholds: Pointer;
  readonly stack: Pointer;
}

const leavesOf = (nodes: Uint16Array): number => (nodes.length + 1) / 2;

/** What a leaf says: its mean, or the shares of the classes among its rows. */
function leafValues(tree: Tree, classes: number): Float64Array {
  const { leaves } = tree;
  if (leaves instanceof Float64Array) return leaves;
  const shares = new Float64Array(leaves.length);
  for (let from = 0; from < leaves.length; from += classes) {
    const weights = leaves.subarray(from, from + classes);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    weights.forEach((weight, c) => (shares[from + c] = weight / total));
  }
  return shares;
}

/** A forest laid out for prediction in an instance of the binary. */
export class LinkedForest {
  /** D */
  readonly dimension: number;
  /** K: 1, or for classification C. */
  readonly outputs: number;
  readonly trees: readonly LinkedTree[];
  readonly #instance: KernelInstance<ForestExports>;
  /** Room for CHUNK_ROWS×D: rows to predict. */
  readonly x: Float64Array;
  /** CHUNK_ROWS×K, filled by `predict`. */
  readonly mean: Float64Array;
  readonly std: Float64Array;
  readonly #reached: Pointer;
  readonly #values: Pointer;
  /** Leaves that the first tree of `#reached` led to, and what each leaf says. */
  readonly #leaves: Uint32Array;
  readonly #said: Float64Array;

  constructor(module: WebAssembly.Module, { model, trees }: { model: ForestModel; trees: readonly Tree[] }) {
    const instance = instantiate<ForestExports>(module);
    this.#instance = instance;
    this.dimension = model.dimension;
    this.outputs = Math.max(model.classes, 1);
    this.#values = instance.alloc(8 * this.outputs * trees.reduce((sum, { nodes }) => sum + leavesOf(nodes), 0));
    const largest = Math.max(...model.nodeCounts);
    const scratch = {
      features: instance.alloc(2 * largest),
      thresholds: instance.alloc(8 * largest),
      stack: instance.alloc(4 * largest),
    };
    let firstLeaf = 0;
    this.trees = trees.map((tree) => {
      const values = leafValues(tree, model.classes);
      const linked = this.#link(tree, firstLeaf, scratch);
      instance.f64(this.#values + 8 * firstLeaf * this.outputs, values.length).set(values);
      firstLeaf += leavesOf(tree.nodes);
      return linked;
    });
    this.#reached = instance.alloc(4 * CHUNK_ROWS * trees.length);
    const lengths = [CHUNK_ROWS * this.dimension, CHUNK_ROWS * this.outputs, CHUNK_ROWS * this.outputs];
    const pointers = lengths.map((length) => instance.alloc(8 * length));
    // Nothing takes memory from here on, so these views stay valid.
    const view = (i: number): Float64Array => instance.f64(pointers[i] ?? 0, lengths[i] ?? 0);
    [this.x, this.mean, this.std] = [view(0), view(1), view(2)];
    this.#leaves = instance.u32(this.#reached, CHUNK_ROWS);
    this.#said = instance.f64(this.#values, this.outputs * firstLeaf);
  }

  #link(tree: Tree, firstLeaf: number, scratch: Scratch): LinkedTree {
    const instance = this.#instance;
    const count = tree.nodes.length;
    const nodes = instance.alloc(NODE_BYTES * count);
    const leaves = instance.alloc(4 * count);
    const { features, thresholds, stack } = scratch;
    instance.u16(features, count).set(tree.nodes);
    instance.f64(thresholds, tree.thresholds.length).set(tree.thresholds);
    instance.exports.forestLink(features, thresholds, count, this.dimension, firstLeaf, nodes, leaves, stack);
    return { nodes, leaves };
  }

  #apply({ nodes, leaves }: LinkedTree, rows: number, out: Pointer): void {
    this.#instance.exports.forestApply(nodes, leaves, this.x.byteOffset, this.dimension, rows, out);
  }

  /** Mean and spread over the trees for the first rows of `x`, into `mean` and `std`. */
  predict(rows: number): void {
    this.trees.forEach((tree, i) => this.#apply(tree, rows, this.#reached + 4 * rows * i));
    const { mean, std, outputs } = this;
    const { length } = this.trees;
    const reached = this.#reached;
    this.#instance.exports.forestSpread(reached, length, rows, this.#values, outputs, mean.byteOffset, std.byteOffset);
  }

  /** What one tree says of the first rows of `x`: rows×K. */
  predictTree(tree: LinkedTree, rows: number, out: Float64Array): void {
    this.#apply(tree, rows, this.#reached);
    const { outputs } = this;
    for (let row = 0; row < rows; row++) {
      const from = (this.#leaves[row] ?? 0) * outputs;
      for (let k = 0; k < outputs; k++) out[row * outputs + k] = this.#said[from + k] ?? 0;
    }
  }
}
