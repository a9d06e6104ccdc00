import { readSnapshot, writeSnapshot } from '#kernels/runtime';
import { KernelInputError } from '#kernels';
import {
  MlpTrainer,
  parseMlpModel,
  type MlpModel,
  type MlpOptions,
  type Schedule,
  type TrainingSet,
} from '#kernels/mlp';
import { Rng } from '#kernels/rng';
import type { Kwargs } from '#catalog';
import type { TaskBody, TaskContext } from './body.ts';
import { betweenSteps, withFaults } from './faults.ts';
import { readTrainingTable, split } from './models/data.ts';
import { encodeModel, type TrainingRecord } from './models/model-file.ts';
import { validate } from './models/validate.ts';

const snapshotKind = 'train-surrogate';
const snapshotVersion = 1;

/** Members draw their seeds from streams far from those that kernels use. */
const memberStreams = 2_000_000_011;
const two21 = 2_097_152;

interface Work {
  /** Members that are done, in order. */
  readonly models: readonly MlpModel[];
  /** The next one, where it stopped; null to begin it. */
  readonly trainer: MlpTrainer | null;
}

/**
 * Trains an ensemble whose members differ in their seeds, one after the other. A snapshot has the members that are done and the one under way, so
 * that another worker ends with the same file.
 */
export const trainSurrogate: TaskBody<'train_surrogate'> = withFaults(async (context, kwargs) => {
  const table = await readTrainingTable(context, kwargs);
  const { training, heldOut } = split(table, kwargs.inputs.length, kwargs.validation_fraction, kwargs.seed);
  const begun = resume(context, training);
  const models = [...begun.models];
  let resumed = begun.trainer;
  while (models.length < kwargs.members) {
    const trainer: MlpTrainer =
      resumed ?? MlpTrainer.create(context.kernels, training, optionsOf(kwargs, models.length));
    resumed = null;
    await train(context, trainer, kwargs, models);
    models.push(trainer.finish());
  }
  const { report, stdScale, calibration } = validate(context.kernels, models, heldOut);
  const path = kwargs.model_path ?? `/models/${context.taskId}.json`;
  const { bytes, contentType } = encodeModel(path, {
    format: 'tabgrid-ensemble',
    version: 1,
    inputs: kwargs.inputs,
    targets: kwargs.targets,
    members: models,
    calibration: { std_scale: stdScale, conformal: calibration?.conformal.factors ?? null },
    training: { rows: training.rows, ...recordOf(kwargs) },
    validation: report,
    kernel_digest: context.kernelDigest,
  });
  const { sha256 } = await context.files.write(path, bytes, contentType);
  return {
    model_path: path,
    sha256,
    members: models.length,
    epochs_run: models.map((model) => model.training.epochs),
    train_loss: models.reduce((sum, model) => sum + model.training.trainLoss, 0) / models.length,
    validation: report,
    calibration,
  };
});

/** The options that a model file records. */
function recordOf(kwargs: Kwargs<'train_surrogate'>): Omit<TrainingRecord, 'rows'> {
  const { hidden, activation, epochs, batch_size, learning_rate, weight_decay, solver, schedule, dropout, loss } =
    kwargs;
  const { beta, validation_fraction, patience, seed } = kwargs;
  const learning = { epochs, batch_size, learning_rate, weight_decay, solver, schedule, dropout, loss, beta };
  return { hidden, activation, ...learning, validation_fraction, patience, seed };
}

/** The kernel’s names for a schedule’s members. */
function scheduleOf(schedule: Kwargs<'train_surrogate'>['schedule']): Schedule {
  if (schedule.kind !== 'step') return schedule;
  const { step_size: stepSize, ...rest } = schedule;
  return { ...rest, stepSize };
}

function optionsOf(kwargs: Kwargs<'train_surrogate'>, member: number): MlpOptions {
  const rng = new Rng(kwargs.seed, memberStreams + member);
  return {
    hidden: kwargs.hidden,
    activation: kwargs.activation,
    epochs: kwargs.epochs,
    batchSize: kwargs.batch_size,
    learningRate: kwargs.learning_rate,
    weightDecay: kwargs.weight_decay,
    solver: kwargs.solver,
    schedule: scheduleOf(kwargs.schedule),
    dropout: kwargs.dropout,
    loss: kwargs.loss,
    beta: kwargs.beta,
    // Early stopping watches rows of each member’s own: the common ones must stay unseen for the report.
    validationFraction: kwargs.patience > 0 ? kwargs.validation_fraction : 0,
    patience: kwargs.patience,
    seed: rng.uint32() * two21 + (rng.uint32() >>> 11),
  };
}

async function train(
  context: TaskContext,
  trainer: MlpTrainer,
  { epochs, members }: Kwargs<'train_surrogate'>,
  models: readonly MlpModel[],
): Promise<void> {
  while (!trainer.done) {
    const { epoch, trainLoss } = trainer.step();
    context.progress({
      fraction: (models.length + epoch / epochs) / members,
      message: `member ${models.length + 1} of ${members}, epoch ${epoch} of ${epochs}`,
      train_loss: trainLoss,
    });
    context.checkpoint(() => snapshotOf(models, trainer));
    await betweenSteps(context);
  }
}

function snapshotOf(models: readonly MlpModel[], trainer: MlpTrainer): Uint8Array {
  const inner = trainer.snapshot();
  return writeSnapshot({
    kernel: snapshotKind,
    version: snapshotVersion,
    state: { models },
    arrays: [new Uint32Array(inner.buffer, inner.byteOffset, inner.byteLength / 4)],
  });
}

/** Where an earlier attempt stopped. Bytes that cannot be read are no reason to fail: the work begins anew. */
function resume({ snapshot, kernels }: TaskContext, training: TrainingSet): Work {
  if (snapshot === null) return { models: [], trainer: null };
  try {
    const { state, arrays } = readSnapshot(snapshot, snapshotKind, snapshotVersion);
    const [inner] = arrays;
    if (inner === undefined || !Array.isArray(state.models)) return { models: [], trainer: null };
    const bytes = new Uint8Array(inner.buffer, inner.byteOffset, inner.byteLength);
    return { models: state.models.map(parseMlpModel), trainer: MlpTrainer.resume(kernels, training, bytes) };
  } catch (error) {
    if (error instanceof KernelInputError) return { models: [], trainer: null };
    throw error;
  }
}
