import { readForest } from './model.ts';
import type { ForestModel } from './model.ts';

/**
 * Importance of each feature as the share of the impurity that splits on it remove: normalised in each tree, averaged over
 * the trees that have a split, and normalised again. D numbers that sum to 1; zeros when no tree has a split.
 *
 * Features with many distinct values look more important than they are; `permutationImportance` does not favour them.
 */
export function impurityImportances(model: ForestModel): Float64Array {
  const sums = new Float64Array(model.dimension);
  for (const { importances } of readForest(model).trees) {
    const total = importances.reduce((sum, value) => sum + value, 0);
    if (total > 0) importances.forEach((value, feature) => (sums[feature] = (sums[feature] ?? 0) + value / total));
  }
  const total = sums.reduce((sum, value) => sum + value, 0);
  return total > 0 ? sums.map((value) => value / total) : sums;
}
