import { MlpTrainer, parseMlpModel, type MlpModel, type MlpOptions, type Schedule } from '#kernels/mlp';
import type { Placement } from '#kernels/mlp/group';
import { Rng } from '#kernels/rng';
import type { TaskContext } from '../body.ts';
import type { TrainingSet } from '../models/data.ts';
import { mlpPredictor } from '../models/mlp.ts';
import { trainAtOnce } from './at-once.ts';
import type { KwargsOf } from '../models/model-file.ts';
import { trainInTurn } from './in-turn.ts';
import type { Trained } from './trained.ts';

type MlpKwargs = KwargsOf<'mlp'>;

/** Members draw their seeds from streams far from those that kernels use. */
const memberStreams = 2_000_000_011;
const two21 = 2_097_152;

/** An ensemble whose members differ in their seeds. */
export async function trainMlp(context: TaskContext, kwargs: MlpKwargs, training: TrainingSet): Promise<Trained> {
  const { members, placement } = await trainMembers(context, kwargs, training);
  return {
    content: { kind: 'mlp', members },
    predictor: mlpPredictor(context.kernels, members),
    record: recordOf(kwargs),
    members: members.length,
    epochsRun: members.map((model) => model.training.epochs),
    trainLoss: members.reduce((sum, model) => sum + model.training.trainLoss, 0) / members.length,
    ...(placement && { placement }),
  };
}

interface TrainedMembers {
  readonly members: MlpModel[];
  readonly placement?: Placement;
}

/** At once where the task may use a GPU and there is one that can; else in turn. */
async function trainMembers(context: TaskContext, kwargs: MlpKwargs, training: TrainingSet): Promise<TrainedMembers> {
  if (context.gpu === undefined) return { members: await trainMembersInTurn(context, kwargs, training) };
  const members = Array.from({ length: kwargs.members }, (_, member) => optionsOf(kwargs, member));
  const outcome = await trainAtOnce(context, await context.gpu(), { training, members });
  if (outcome.type === 'trained') return { members: outcome.models, placement: outcome.placement };
  const placement: Placement = { backend: 'wasm', reason: outcome.reason };
  return { members: await trainMembersInTurn(context, kwargs, training), placement };
}

function trainMembersInTurn(context: TaskContext, kwargs: MlpKwargs, training: TrainingSet): Promise<MlpModel[]> {
  const { epochs, members: count } = kwargs;
  return trainInTurn<MlpModel, MlpTrainer>(context, {
    count,
    begin: (index) => MlpTrainer.create(context.kernels, training, optionsOf(kwargs, index)),
    resume: (_, snapshot) => MlpTrainer.resume(context.kernels, training, snapshot),
    parse: parseMlpModel,
    step(trainer, index) {
      const { epoch, trainLoss } = trainer.step();
      return {
        fraction: (index + epoch / epochs) / count,
        message: `member ${index + 1} of ${count}, epoch ${epoch} of ${epochs}`,
        train_loss: trainLoss,
      };
    },
  });
}

function recordOf(kwargs: MlpKwargs): Trained['record'] {
  const { hidden, activation, epochs, batch_size, learning_rate, weight_decay, solver, schedule, dropout, loss } =
    kwargs;
  const { beta, validation_fraction, patience, seed } = kwargs;
  const learning = { epochs, batch_size, learning_rate, weight_decay, solver, schedule, dropout, loss, beta };
  return { hidden, activation, ...learning, validation_fraction, patience, seed };
}

/** The kernel’s names for a schedule’s members. */
function scheduleOf(schedule: MlpKwargs['schedule']): Schedule {
  if (schedule.kind !== 'step') return schedule;
  const { step_size: stepSize, ...rest } = schedule;
  return { ...rest, stepSize };
}

function optionsOf(kwargs: MlpKwargs, member: number): MlpOptions {
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
