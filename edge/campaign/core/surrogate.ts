import type { Surrogate } from '#protocol';

/** Options of `train_surrogate` that a campaign decides. */
export interface TrainingOptions {
  readonly hidden: number[];
  readonly activation: 'relu' | 'tanh';
  readonly epochs: number;
  readonly batch_size: number;
  readonly learning_rate: number;
  readonly weight_decay: number;
}

/** Members of an ensemble, unless the campaign says otherwise. */
export const defaultMembers = 5;
/** Members are trained by at most so many tasks at once. */
const maxTasks = 8;

/** Steps of Adam after which small sets have been learnt; and the fewest passes over large ones. */
const stepsToConverge = 1200;
const fewestEpochs = 60;
const mostEpochs = 400;

/**
 * How the surrogate is trained on `count` observations. What the campaign leaves open takes values found on two tables of real experiments
 * (docs/campaigns.md has the comparison): networks that are small beside what they are searched with, trained until they fit the observations, held
 * smooth by weight decay, and told apart only by their initial weights.
 */
export function trainingOptions(surrogate: Surrogate, count: number): TrainingOptions {
  const batchSize = surrogate.batch_size ?? 32;
  const stepsPerEpoch = Math.ceil(count / batchSize);
  const epochs = Math.min(Math.max(Math.ceil(stepsToConverge / stepsPerEpoch), fewestEpochs), mostEpochs);
  return {
    hidden: surrogate.hidden ?? [64, 64],
    activation: surrogate.activation ?? 'relu',
    epochs: surrogate.epochs ?? epochs,
    batch_size: batchSize,
    learning_rate: surrogate.learning_rate ?? 0.005,
    weight_decay: surrogate.weight_decay ?? 0.001,
  };
}

/** How many members each training task has: as even as can be. */
export function memberGroups({ members = defaultMembers }: Surrogate): number[] {
  const tasks = Math.min(members, maxTasks);
  return Array.from({ length: tasks }, (_, k) => Math.floor((members + k) / tasks));
}
