import { ForestTrainer, parseForestModel, type ForestData, type ForestModel } from '#kernels/forest';
import type { TaskContext } from '../body.ts';
import { inputStatistics, type TrainingSet } from '../models/data.ts';
import { forestPredictor } from '../models/forest.ts';
import type { KwargsOf } from '../models/model-file.ts';
import { trainInTurn } from './in-turn.ts';
import type { Trained } from './trained.ts';

/**
 * A forest for each target, one tree after the other. Tree m of every target learns from the same bag of rows, so that member m is one answer to
 * all of them.
 */
export async function trainForest(
  context: TaskContext,
  kwargs: KwargsOf<'forest'>,
  training: TrainingSet,
): Promise<Trained> {
  const { n_estimators, max_depth, min_samples_split, min_samples_leaf, max_features, seed } = kwargs;
  const options = {
    nEstimators: n_estimators,
    maxDepth: max_depth,
    minSamplesSplit: min_samples_split,
    minSamplesLeaf: min_samples_leaf,
    maxFeatures: max_features,
    seed,
  };
  const { outputs } = training;
  const forests = await trainInTurn<ForestModel, ForestTrainer>(context, {
    count: outputs,
    begin: (k) => ForestTrainer.create(context.kernels, dataOf(training, k), options),
    resume: (k, snapshot) => ForestTrainer.resume(context.kernels, dataOf(training, k), snapshot),
    parse: parseForestModel,
    step(trainer, k) {
      const { tree } = trainer.step();
      return {
        fraction: (k + (tree + 1) / n_estimators) / outputs,
        message: `target ${k + 1} of ${outputs}, tree ${tree + 1} of ${n_estimators}`,
      };
    },
  });
  const inputs = inputStatistics(training);
  const { validation_fraction } = kwargs;
  return {
    content: { kind: 'forest', inputs, forests },
    predictor: forestPredictor(context.kernels, [forests], inputs),
    record: { n_estimators, max_depth, min_samples_split, min_samples_leaf, max_features, validation_fraction, seed },
    members: n_estimators,
    epochsRun: [],
    trainLoss: null,
  };
}

/** One target of the rows. */
function dataOf({ inputs, targets, rows, dimension, outputs }: TrainingSet, k: number): ForestData {
  const column = Float64Array.from({ length: rows }, (_, row) => targets[row * outputs + k] ?? NaN);
  return { inputs, targets: column, rows, dimension };
}
