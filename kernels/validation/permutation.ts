import { Rng } from '../rng/index.ts';
import { requireInteger } from '../runtime/index.ts';
import { checkTable } from './contract.ts';
import type { Predict, Table } from './contract.ts';
import { higherIsBetter, score } from './cross-validate.ts';
import type { Scoring } from './cross-validate.ts';
import { FOLD_STREAM } from './folds.ts';

export interface PermutationImportance {
  /** D: by how much the score gets worse when the feature is shuffled, mean over the repetitions. */
  readonly mean: Float64Array;
  /** D: population standard deviation over the repetitions. */
  readonly std: Float64Array;
}

/**
 * Importance of each feature for what a model says: by how much its score gets worse when the column of the feature is
 * shuffled (Breiman 2001; as scikit-learn's permutation_importance). Judge by rows that the model has not seen.
 *
 * @param repeats shuffles of each feature, at least 1
 */
export function permutationImportance(
  predict: Predict,
  table: Table,
  { scoring, repeats, seed }: { scoring: Scoring; repeats: number; seed: number },
): PermutationImportance {
  const { inputs, rows, dimension } = checkTable(table);
  requireInteger('repeats', repeats, { min: 1 });
  const whole = score(scoring, table, predict(inputs, rows));
  const sign = higherIsBetter(scoring) ? 1 : -1;
  const mean = new Float64Array(dimension);
  const std = new Float64Array(dimension);
  const shuffled = inputs.slice();
  for (let feature = 0; feature < dimension; feature++) {
    const rng = new Rng(seed, FOLD_STREAM + 1 + feature);
    const losses = Float64Array.from({ length: repeats }, () => {
      const order = Uint32Array.from({ length: rows }, (_, row) => row);
      rng.shuffle(order);
      order.forEach((from, row) => {
        shuffled[row * dimension + feature] = inputs[from * dimension + feature] ?? 0;
      });
      return sign * (whole - score(scoring, table, predict(shuffled, rows)));
    });
    for (let row = 0; row < rows; row++) {
      shuffled[row * dimension + feature] = inputs[row * dimension + feature] ?? 0;
    }
    const average = losses.reduce((sum, loss) => sum + loss, 0) / repeats;
    mean[feature] = average;
    std[feature] = Math.sqrt(losses.reduce((sum, loss) => sum + (loss - average) * (loss - average), 0) / repeats);
  }
  return { mean, std };
}
