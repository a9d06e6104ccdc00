import { Rng } from '../rng/index.ts';
import { requireInteger } from '../runtime/index.ts';
import { checkFolds } from './contract.ts';
import type { Fold } from './contract.ts';

/** Far from the streams of estimators under the same seed. */
export const FOLD_STREAM = 2_199_023_255_552;

/** Folds from the fold of each row. */
function gather(foldOf: Uint32Array, k: number): Fold[] {
  const rows = Uint32Array.from(foldOf, (_, row) => row);
  return Array.from({ length: k }, (_, fold) => ({
    training: rows.filter((row) => foldOf[row] !== fold),
    test: rows.filter((row) => foldOf[row] === fold),
  }));
}

function shuffledRows(rows: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  new Rng(seed, FOLD_STREAM).shuffle(order);
  return order;
}

/**
 * Shuffles the rows and cuts them into k parts, each of which is the test of one fold. Sizes differ by at most one, the
 * first folds have more. k = rows leaves one out.
 *
 * @throws KernelInputError unless 2 ≤ k ≤ rows.
 */
export function kFolds(rows: number, k: number, seed: number): Fold[] {
  checkFolds(rows, k);
  const foldOf = new Uint32Array(rows);
  const small = Math.floor(rows / k);
  const larger = rows % k;
  shuffledRows(rows, seed).forEach((row, place) => {
    // The first `larger` folds have small + 1 rows.
    const fold = Math.floor(place / (small + 1));
    foldOf[row] = fold < larger ? fold : larger + Math.floor((place - larger * (small + 1)) / small);
  });
  return gather(foldOf, k);
}

/**
 * Folds in which each class has its share: in any two of them the rows of a class, and all rows, differ by at most one. A
 * class with less than k rows is missing in some.
 *
 * @param labels a class for each row, 0 or more
 * @throws KernelInputError unless 2 ≤ k ≤ rows, and labels are whole numbers.
 */
export function stratifiedFolds(labels: ArrayLike<number>, k: number, seed: number): Fold[] {
  const rows = labels.length;
  checkFolds(rows, k);
  const label = (row: number): number => requireInteger(`labels[${row}]`, labels[row], { min: 0 });
  // Sorting is stable: within a class the rows stay shuffled.
  const order = shuffledRows(rows, seed).sort((a, b) => label(a) - label(b));
  const foldOf = new Uint32Array(rows);
  order.forEach((row, place) => (foldOf[row] = place % k));
  return gather(foldOf, k);
}
