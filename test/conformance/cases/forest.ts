import {
  ForestPredictor,
  ForestTrainer,
  forestEstimator,
  impurityImportances,
  mergeForests,
  outOfBag,
} from '../../../kernels/forest/index.ts';
import type { ForestData, ForestOptions } from '../../../kernels/forest/index.ts';
import { crossValidate, kFolds, permutationImportance } from '../../../kernels/validation/index.ts';
import type { KernelCases, ResumableCase } from './case.ts';
import { table, uniform } from './data.ts';
import { stepwise } from './stepwise.ts';

const numbers: ForestData = table(203, 6, 1, 31);
/** Few distinct values and three classes, so that many splits are equal. */
const classes: ForestData = {
  inputs: uniform(180 * 5, 0, 4, 32).map(Math.floor),
  targets: uniform(180, 0, 3, 33).map(Math.floor),
  rows: 180,
  dimension: 5,
  classes: 3,
};

function grow(module: WebAssembly.Module, data: ForestData, options: Partial<ForestOptions>, from: number, to: number) {
  const trainer = ForestTrainer.create(module, data, options, { from, to });
  while (!trainer.done) trainer.step();
  return trainer.finish();
}

function growing(data: ForestData, options: Partial<ForestOptions>): ResumableCase {
  return {
    stops: [1, 4],
    open: (module, snapshot) => {
      const trainer = snapshot
        ? ForestTrainer.resume(module, data, snapshot)
        : ForestTrainer.create(module, data, { nEstimators: 6, seed: 5, ...options });
      return stepwise(trainer, () => {
        const model = trainer.finish();
        const { mean, std } = new ForestPredictor(module, model).predict(data.inputs, data.rows);
        return [JSON.stringify(model), mean, std, impurityImportances(model)];
      });
    },
  };
}

export const forestCases: KernelCases = {
  regression: growing(numbers, {}),
  'feature subsampling': growing(numbers, { maxFeatures: 1 / 3, maxDepth: 5, minSamplesLeaf: 3 }),
  gini: growing(classes, { criterion: 'gini', maxFeatures: 'sqrt' }),
  'parts, out of bag': (module) => {
    const options = { nEstimators: 5, maxSamples: 0.5, seed: 9 };
    const model = mergeForests([grow(module, numbers, options, 3, 5), grow(module, numbers, options, 0, 3)]);
    const { predictions, score } = outOfBag(module, numbers, model);
    return [JSON.stringify(model), Array.from(predictions), [score]];
  },
  'folds, permutations': (module) => {
    const estimator = forestEstimator(module, { nEstimators: 4, seed: 2 });
    const { scores, mean, std, predictions } = crossValidate(estimator, numbers, kFolds(203, 4, 1), 'rmse');
    const importance = permutationImportance(estimator.fit(numbers), numbers, { scoring: 'r2', repeats: 2, seed: 3 });
    return [scores, [mean, std], predictions, importance.mean, importance.std];
  },
};
