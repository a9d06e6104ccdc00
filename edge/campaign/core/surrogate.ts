import { GP_LIMITS } from '#kernels/gp';
import type { CampaignSpec, JsonObject, Surrogate } from '#protocol';

type Of<Kind extends Surrogate['kind']> = Extract<Surrogate, { kind: Kind }>;
type Perceptrons = Of<'auto' | 'mlp'>;

/** Options of `train_surrogate` that a campaign decides for perceptrons. */
export interface MlpTrainingOptions {
  readonly hidden: number[];
  readonly activation: 'relu' | 'tanh';
  readonly epochs: number;
  readonly batch_size: number;
  readonly learning_rate: number;
  readonly weight_decay: number;
}

/** Members of an ensemble, unless the campaign says otherwise. */
const defaultMembers = 5;
/** Members are trained by at most so many tasks at once. */
const maxTasks = 8;

/** Steps of Adam after which small sets have been learnt; and the fewest passes over large ones. */
const stepsToConverge = 1200;
const fewestEpochs = 60;
const mostEpochs = 400;

/**
 * How perceptrons are trained on `count` observations. What the campaign leaves open takes values found on two tables of real experiments
 * (docs/campaigns.md has the comparison): networks that are small beside what they are searched with, trained until they fit the observations, held
 * smooth by weight decay, and told apart only by their initial weights.
 */
export function mlpTrainingOptions(surrogate: Perceptrons, count: number): MlpTrainingOptions {
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

/** Trees of a forest, unless the campaign says otherwise. */
const defaultTrees = 100;
/** Features that are looked at for a split: a third, as is customary for regression, and better than all on both tables of docs/campaigns.md. */
const defaultFeatureShare = 1 / 3;
/** Trees × observations that are worth a task of their own. */
const treeRowsPerTask = 2_000_000;

function forestTrainingOptions(surrogate: Of<'forest'>): JsonObject {
  return {
    kind: 'forest',
    max_depth: surrogate.max_depth ?? null,
    min_samples_split: surrogate.min_samples_split ?? 2,
    min_samples_leaf: surrogate.min_samples_leaf ?? 1,
    max_features: surrogate.max_features === undefined ? defaultFeatureShare : surrogate.max_features,
  };
}

function gpTrainingOptions(surrogate: Of<'gp'>): JsonObject {
  return {
    kind: 'gp',
    covariance: surrogate.covariance ?? 'matern52',
    prior: surrogate.prior ?? 'dimension-scaled',
    n_restarts_optimizer: surrogate.n_restarts_optimizer ?? 2,
  };
}

/** Parts that differ by one at most. */
export function evenly(count: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, k) => Math.floor((count + k) / parts));
}

/** The kind that is trained. */
export function kindOf({ kind }: Surrogate): 'mlp' | 'forest' | 'gp' {
  return kind === 'auto' ? 'mlp' : kind;
}

/** Observations that a campaign may be given beside those of its budget: a Gaussian process learns from a limited number. */
export function roomForGiven({ surrogate, budget }: CampaignSpec): number {
  return surrogate.kind === 'gp' ? GP_LIMITS.rows - budget : Infinity;
}

/** How many tasks share the training: members and trees can be divided, a process cannot. Decided by the specification alone. */
export function trainingTaskCount(surrogate: Surrogate, budget: number): number {
  switch (surrogate.kind) {
    case 'gp':
      return 1;
    case 'forest': {
      const trees = surrogate.n_estimators ?? defaultTrees;
      return Math.min(Math.ceil((trees * budget) / treeRowsPerTask), trees, maxTasks);
    }
    default:
      return Math.min(surrogate.members ?? defaultMembers, maxTasks);
  }
}

/** For each of `tasks` training tasks its options, all but data, seed and path, with `count` observations. */
export function trainingOptions(surrogate: Surrogate, tasks: number, count: number): JsonObject[] {
  switch (surrogate.kind) {
    case 'gp':
      return [gpTrainingOptions(surrogate)];
    case 'forest':
      return evenly(surrogate.n_estimators ?? defaultTrees, tasks).map((trees) => ({
        ...forestTrainingOptions(surrogate),
        n_estimators: trees,
      }));
    default: {
      const options = { ...mlpTrainingOptions(surrogate, count), patience: 0 };
      return evenly(surrogate.members ?? defaultMembers, tasks).map((members) => ({ ...options, members }));
    }
  }
}
