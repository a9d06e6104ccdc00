import type { Kwargs } from '#catalog';
import type { TaskBody, TaskContext } from './body.ts';
import { withFaults } from './faults.ts';
import { readTrainingTable, split, type TrainingSet } from './models/data.ts';
import { encodeModel } from './models/model-file.ts';
import { validate } from './models/validate.ts';
import { trainForest } from './training/forest.ts';
import { trainGp } from './training/gp.ts';
import { trainMlp } from './training/mlp.ts';
import type { Trained } from './training/trained.ts';

/** Trains a model on all rows but those that are kept aside, judges it by these, and stores it. */
export const trainSurrogate: TaskBody<'train_surrogate'> = withFaults(async (context, kwargs) => {
  const { inputs, targets, validation_fraction: fraction, seed } = kwargs;
  const table = await readTrainingTable(context, kwargs);
  const { training, heldOut } = split(table, inputs.length, fraction, seed);
  const trained = await train(context, kwargs, training);
  const { report, stdScale, calibration } = validate(context.kernels, trained.predictor, heldOut);
  const path = kwargs.model_path ?? `/models/${context.taskId}.json`;
  const { bytes, contentType } = encodeModel(path, trained.content, {
    inputs,
    targets,
    calibration: { std_scale: stdScale, conformal: calibration?.conformal.factors ?? null },
    training: { rows: training.rows, ...trained.record },
    validation: report,
    kernel_digest: context.kernelDigest,
  });
  const { sha256 } = await context.files.write(path, bytes, contentType);
  return {
    model_path: path,
    sha256,
    members: trained.members,
    epochs_run: trained.epochsRun,
    train_loss: trained.trainLoss,
    validation: report,
    calibration,
    ...trained.placement,
  };
});

function train(context: TaskContext, kwargs: Kwargs<'train_surrogate'>, training: TrainingSet): Promise<Trained> {
  switch (kwargs.kind) {
    case 'mlp':
      return trainMlp(context, kwargs, training);
    case 'forest':
      return trainForest(context, kwargs, training);
    case 'gp':
      return trainGp(context, kwargs, training);
  }
}
