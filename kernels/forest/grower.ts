import { instantiate } from '../runtime/index.ts';
import type { KernelInstance, Pointer } from '../runtime/index.ts';
import { drawsPerTree, featuresPerSplit } from './contract.ts';
import type { ForestData, ForestOptions } from './contract.ts';
import type { ForestExports } from './exports.ts';
import { centre } from './prepare.ts';
import type { Tree } from './tree.ts';

/** Deeper than any tree: one with n leaves has less than n levels. */
const NO_LIMIT = 0x7fff_ffff;

const word = (value: number): number => Math.min(value, NO_LIMIT);

/** A table inside an instance of the binary, sorted, from which any tree of a forest can be grown. */
export class TreeGrower {
  readonly #instance: KernelInstance<ForestExports>;
  readonly #forest: Pointer;
  readonly #dimension: number;
  readonly #classes: number;

  /** Data and options are checked ones. @throws KernelInputError when there are fewer rows or features than asked for, or too little memory. */
  constructor(module: WebAssembly.Module, data: ForestData, options: ForestOptions) {
    const { inputs, targets, rows, dimension, classes = 0 } = data;
    const instance = instantiate<ForestExports>(module);
    const { exports } = instance;
    this.#instance = instance;
    this.#dimension = dimension;
    this.#classes = classes;
    const features = featuresPerSplit(options, dimension);
    const draws = drawsPerTree(options, rows);
    this.#forest = instance.allocating(() =>
      exports.forestNew(
        rows,
        dimension,
        classes,
        word(options.maxDepth ?? NO_LIMIT),
        word(options.minSamplesSplit),
        word(options.minSamplesLeaf),
        features,
        draws,
        options.seed,
      ),
    );
    const columns = instance.f64(exports.forestValues(this.#forest) >>> 0, rows * dimension);
    for (let feature = 0; feature < dimension; feature++) {
      for (let row = 0; row < rows; row++) columns[feature * rows + row] = inputs[row * dimension + feature] ?? 0;
    }
    instance.f64(exports.forestTargets(this.#forest) >>> 0, rows).set(targets);
    if (classes === 0) instance.f64(exports.forestCentred(this.#forest) >>> 0, rows).set(centre(targets));
    instance.allocating(() => exports.forestSort(this.#forest));
  }

  /** Tree number `index` of the forest. */
  grow(index: number): Tree {
    const instance = this.#instance;
    const { exports } = instance;
    const forest = this.#forest;
    exports.forestGrow(forest, index);
    const count = exports.forestNodeCount(forest);
    const leafCount = (count + 1) / 2;
    const leaves = exports.forestLeaves(forest) >>> 0;
    return {
      nodes: instance.u16(exports.forestNodes(forest) >>> 0, count).slice(),
      thresholds: instance.f64(exports.forestThresholds(forest) >>> 0, leafCount - 1).slice(),
      leaves:
        this.#classes === 0
          ? instance.f64(leaves, leafCount).slice()
          : instance.u32(leaves, leafCount * this.#classes).slice(),
      importances: instance.f64(exports.forestImportances(forest) >>> 0, this.#dimension).slice(),
    };
  }
}
