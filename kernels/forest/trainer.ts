import { KernelInputError } from '../runtime/index.ts';
import { LIMITS, checkData, checkOptions, digestOf } from './contract.ts';
import type { ForestData, ForestOptions } from './contract.ts';
import { TreeGrower } from './grower.ts';
import { makeModel } from './model.ts';
import type { ForestModel } from './model.ts';
import { checkRange, readForestSnapshot, readSnapshotOptions, writeForestSnapshot } from './snapshot.ts';
import type { Range, Standing } from './snapshot.ts';
import type { Tree } from './tree.ts';

export interface TreeReport {
  /** Number of the tree in the forest. */
  readonly tree: number;
  readonly leaves: number;
}

/**
 * Grows a random forest, or a range of its trees, one tree at a time. A tree depends on the data, the options, the seed,
 * its number and the kernel binary alone: not on the engine, nor on which trees were grown before it or elsewhere.
 */
export class ForestTrainer {
  readonly #data: ForestData;
  readonly #digest: string;
  readonly #options: ForestOptions;
  readonly #range: Range;
  readonly #grower: TreeGrower;
  readonly #trees: Tree[];
  #numbers = 0;

  /** Of checked data. */
  private constructor(module: WebAssembly.Module, data: ForestData, digest: string, standing: Standing) {
    this.#data = data;
    this.#digest = digest;
    this.#options = standing.options;
    this.#range = standing.range;
    this.#grower = new TreeGrower(module, data, standing.options);
    this.#trees = [];
    for (const tree of standing.trees) this.#keep(tree);
  }

  /**
   * @param range the trees to grow, `from` … `to` − 1; default all
   * @throws KernelInputError naming the field of `data` or `options` that does not fit
   */
  static create(
    module: WebAssembly.Module,
    data: ForestData,
    options: Partial<ForestOptions> = {},
    range?: Range,
  ): ForestTrainer {
    const checked = checkOptions(options);
    const standing = {
      options: checked,
      range: checkRange(range ?? { from: 0, to: checked.nEstimators }, checked),
      trees: [],
    };
    const table = checkData(data, checked.criterion);
    return new ForestTrainer(module, table, digestOf(table), standing);
  }

  /**
   * Goes on from a snapshot, which holds the options but not the data.
   *
   * @throws KernelInputError when the bytes are no snapshot of this kernel, or belong to other data.
   */
  static resume(module: WebAssembly.Module, data: ForestData, snapshot: Uint8Array): ForestTrainer {
    const table = checkData(data, readSnapshotOptions(snapshot).criterion);
    const digest = digestOf(table);
    return new ForestTrainer(module, table, digest, readForestSnapshot(snapshot, digest, table));
  }

  /** Trees grown so far. */
  get size(): number {
    return this.#trees.length;
  }

  /** Whether all trees of the range are there. */
  get done(): boolean {
    return this.size >= this.#range.to - this.#range.from;
  }

  /**
   * Grows one tree.
   *
   * @throws KernelInputError when the forest becomes too large for a model file.
   * @throws Error when training is done.
   */
  step(): TreeReport {
    if (this.done) throw new Error('Training is done: there is no further tree.');
    const number = this.#range.from + this.size;
    const tree = this.#grower.grow(number);
    this.#keep(tree);
    return { tree: number, leaves: (tree.nodes.length + 1) / 2 };
  }

  #keep(tree: Tree): void {
    this.#numbers += Math.max(tree.nodes.length, tree.leaves.length);
    if (this.#numbers > LIMITS.nodes) {
      const expected = `trees with ${LIMITS.nodes} nodes and numbers in their leaves together (limit maxDepth, or grow ranges)`;
      throw new KernelInputError('nEstimators', expected, this.#options.nEstimators);
    }
    this.#trees.push(tree);
  }

  /** Everything that is needed to go on elsewhere, but for the data: options, range, and the trees so far. */
  snapshot(): Uint8Array {
    const standing = { options: this.#options, range: this.#range, trees: this.#trees };
    const { dimension, classes = 0 } = this.#data;
    return writeForestSnapshot(this.#digest, standing, { dimension, classes });
  }

  /** The trees so far as a model. @throws Error before the first one. */
  finish(): ForestModel {
    if (this.size === 0) throw new Error('There is no model before the first tree.');
    const { dimension, rows, classes = 0 } = this.#data;
    const training = { rows, data: this.#digest };
    return makeModel({ dimension, classes, options: this.#options, training, from: this.#range.from }, this.#trees);
  }
}
