import { KernelInputError } from '../runtime/index.ts';
import { accuracy, likeliest, r2 } from '../validation/index.ts';
import { drawCounts, treeRng } from './bag.ts';
import { checkData, digestOf } from './contract.ts';
import type { ForestData } from './contract.ts';
import { CHUNK_ROWS, LinkedForest } from './linked.ts';
import { readForest } from './model.ts';
import type { ForestModel } from './model.ts';

export interface OutOfBag {
  /** N×K: of each row, the mean over the trees whose bag it was not in; NaN for a row that was in all of them. */
  readonly predictions: Float64Array;
  /** N: those trees. */
  readonly trees: Uint32Array;
  /** R², or for classes the accuracy, over the rows with a prediction. */
  readonly score: number;
}

/** Adds what the trees say of the rows outside of their bags, tree by tree. */
function addPredictions(
  forest: LinkedForest,
  data: ForestData,
  model: ForestModel,
  predictions: Float64Array,
  trees: Uint32Array,
): void {
  const { rows, dimension, inputs } = data;
  const { outputs } = forest;
  const said = new Float64Array(CHUNK_ROWS * outputs);
  forest.trees.forEach((tree, i) => {
    const counts = drawCounts(model.options, rows, treeRng(model.options, model.from + i));
    const outside = Uint32Array.from({ length: rows }, (_, row) => row).filter((row) => counts[row] === 0);
    for (let from = 0; from < outside.length; from += CHUNK_ROWS) {
      const chunk = outside.subarray(from, from + CHUNK_ROWS);
      chunk.forEach((row, place) => {
        forest.x.set(inputs.subarray(row * dimension, (row + 1) * dimension), place * dimension);
      });
      forest.predictTree(tree, chunk.length, said);
      chunk.forEach((row, place) => {
        trees[row] = (trees[row] ?? 0) + 1;
        for (let k = 0; k < outputs; k++) {
          const at = row * outputs + k;
          predictions[at] = (predictions[at] ?? 0) + (said[place * outputs + k] ?? 0);
        }
      });
    }
  });
}

/**
 * Judges a forest by the rows that its trees have not seen. Bags are drawn again from the seed, so that a forest that was put
 * together from parts is judged like one grown in one place.
 *
 * @param data what the forest was grown from
 * @throws KernelInputError when the data are others, or no row was outside of a bag (without bootstrap none is).
 */
export function outOfBag(module: WebAssembly.Module, data: ForestData, model: ForestModel): OutOfBag {
  const read = readForest(model);
  const parsed = read.model;
  const table = checkData(data, parsed.options.criterion);
  if (digestOf(table) !== parsed.training.data) {
    throw new KernelInputError('data', 'the data that the forest was grown from', 'other data');
  }
  if (!parsed.options.bootstrap) throw new KernelInputError('bootstrap', 'true for an out-of-bag score', false);
  const forest = new LinkedForest(module, read);
  const { outputs } = forest;
  const predictions = new Float64Array(table.rows * outputs);
  const trees = new Uint32Array(table.rows);
  addPredictions(forest, table, parsed, predictions, trees);
  for (let at = 0; at < predictions.length; at++) {
    const count = trees[Math.floor(at / outputs)] ?? 0;
    predictions[at] = count === 0 ? NaN : (predictions[at] ?? 0) / count;
  }
  const judged = Uint32Array.from({ length: table.rows }, (_, row) => row).filter((row) => trees[row] !== 0);
  if (judged.length === 0) {
    throw new KernelInputError('nEstimators', 'enough trees that some row is out of a bag', parsed.nodeCounts.length);
  }
  const targets = Float64Array.from(judged, (row) => table.targets[row] ?? 0);
  const said = new Float64Array(judged.length * outputs);
  judged.forEach((row, i) => said.set(predictions.subarray(row * outputs, (row + 1) * outputs), i * outputs));
  const score = parsed.classes === 0 ? r2(targets, said) : accuracy(targets, likeliest(said, judged.length, outputs));
  return { predictions, trees, score };
}
