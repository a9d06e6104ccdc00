import { z } from 'zod';
import type { CampaignId, TaskId } from './ids.ts';
import type { JsonObject } from './json.ts';
import { forestShape, gpShape } from './surrogates.ts';
import { columnNameSchema, filePathSchema, nameSchema } from './text.ts';

/** A variable of the design space. Bounds are inclusive. */
export const inputSchema = z.discriminatedUnion('type', [
  z.strictObject({ name: columnNameSchema, type: z.literal('float'), min: z.number(), max: z.number() }),
  z.strictObject({ name: columnNameSchema, type: z.literal('integer'), min: z.int(), max: z.int() }),
]);
export type Input = z.infer<typeof inputSchema>;

/** Where candidates come from: a box to search, or the rows of a table, each of which can be tried once. */
const spaceSchema = z.union([
  z.strictObject({ inputs: z.array(inputSchema).min(1).max(100) }),
  z.strictObject({
    pool: filePathSchema,
    /** The columns that describe a design; without it, all that are not objectives. */
    inputs: z.array(columnNameSchema).min(1).max(100).optional(),
  }),
]);
export type Space = z.infer<typeof spaceSchema>;

const objectiveSchema = z.strictObject({
  name: columnNameSchema,
  goal: z.enum(['max', 'min']),
  /** The corner against which hypervolume is measured; without it, the worst value observed. */
  reference: z.number().optional(),
});
export type Objective = z.infer<typeof objectiveSchema>;

/** How a candidate is evaluated. Commands and URLs are named where the worker starts, never in a request. */
export const evaluatorSchema = z.union([
  z.strictObject({ kind: z.literal('builtin'), name: nameSchema }),
  z.strictObject({
    kind: z.literal('builtin'),
    suite: z.literal('bbob'),
    function: z.int().min(1).max(24),
    instance: z.int().min(1).max(1000),
  }),
  /** Looks the candidate up among the rows of a CSV file; rows with equal inputs are averaged. */
  z.strictObject({ kind: z.literal('table'), path: filePathSchema }),
  /** A fitted model stands in for the laboratory. */
  z.strictObject({ kind: z.literal('model'), model_path: filePathSchema }),
  z.strictObject({ kind: z.literal('named'), name: nameSchema }),
]);
export type Evaluator = z.infer<typeof evaluatorSchema>;

const mlpSurrogateSchema = z.strictObject({
  /** `auto` is `mlp`. */
  kind: z.enum(['auto', 'mlp']).optional().default('auto'),
  hidden: z.array(z.int().min(1).max(1024)).min(1).max(8).optional(),
  activation: z.enum(['relu', 'tanh']).optional(),
  epochs: z.int().min(1).max(100_000).optional(),
  batch_size: z.int().min(1).max(65_536).optional(),
  learning_rate: z.number().positive().max(1).optional(),
  weight_decay: z.number().min(0).max(10).optional(),
  members: z.int().min(1).max(64).optional(),
});

/** The surrogate: an ensemble of multilayer perceptrons, or for each objective a random forest or a Gaussian process. What is absent takes its default. */
const surrogateSchema = z.discriminatedUnion('kind', [
  mlpSurrogateSchema,
  z.strictObject({ kind: z.literal('forest'), ...z.object(forestShape).partial().shape }),
  z.strictObject({ kind: z.literal('gp'), ...z.object(gpShape).partial().shape }),
]);
export type Surrogate = z.infer<typeof surrogateSchema>;

/** `ei` logarithm of expected improvement, `ucb` mean + κ·std, `pi` probability of improvement, `thompson` one member drawn at random, `mean` greedy. */
export const acquisitionSchema = z.strictObject({
  kind: z.enum(['ei', 'ucb', 'pi', 'thompson', 'mean']).default('ucb'),
  /** κ of `ucb`. */
  kappa: z.number().min(0).max(100).optional(),
  /** ξ of `ei` and `pi`, in units of the objective. */
  xi: z.number().min(0).optional(),
});
export type Acquisition = z.infer<typeof acquisitionSchema>;

/** Rules that end a campaign before its budget does. */
const stopSchema = z.strictObject({
  /** Ends when the first objective is at least as good as this. */
  target: z.number().optional(),
  /** Ends after this many iterations in a row without improvement of the first objective (of the hypervolume, if there are several). */
  patience: z.int().min(1).optional(),
});

export const campaignSpecSchema = z.strictObject({
  name: z.string().min(1).max(200),
  /** Observations to begin with: a CSV file with the inputs’ and objectives’ columns. */
  dataset_path: filePathSchema.optional(),
  space: spaceSchema,
  objectives: z.array(objectiveSchema).min(1).max(5),
  evaluator: evaluatorSchema,
  surrogate: surrogateSchema.default({ kind: 'auto' }),
  acquisition: acquisitionSchema.default({ kind: 'ucb' }),
  /** Candidates drawn at random before the first model; 0 is for a campaign that begins with a data set. */
  initial: z.int().min(0).max(10_000),
  batch_size: z.int().min(1).max(1000).default(1),
  /** Evaluations in all, the initial ones included. */
  budget: z.int().min(1).max(100_000),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  stop: stopSchema.optional(),
});
export type CampaignSpec = z.infer<typeof campaignSpecSchema>;

/** Results that a person has for a campaign, from a laboratory or an earlier study. */
export const observationsSchema = z.strictObject({
  observations: z
    .array(
      z.strictObject({
        inputs: z.record(columnNameSchema, z.number()),
        /** Null tells that the experiment failed. */
        values: z.record(columnNameSchema, z.number()).nullable(),
      }),
    )
    .min(1)
    .max(1000),
});
export type Observations = z.infer<typeof observationsSchema>['observations'];

export const campaignStates = ['RUNNING', 'PAUSED', 'SUCCESS', 'FAILURE', 'STOPPED'] as const;
export type CampaignState = (typeof campaignStates)[number];

/** A candidate with what was measured. */
export interface Observation {
  /** Its place in the order of candidates, from 0. */
  index: number;
  inputs: Record<string, number>;
  /** Null where the evaluation failed. */
  values: Record<string, number> | null;
}

export interface CampaignIteration {
  iteration: number;
  /** Evaluations so far, failed ones included. */
  evaluated: number;
  best: { inputs: Record<string, number>; values: Record<string, number> } | null;
  hypervolume: number | null;
  surrogate: { kind: string; validation: JsonObject } | null;
  proposed: Record<string, number>[];
  seconds: number;
}

export interface CampaignView {
  campaign_id: CampaignId;
  /** The task that stands for the whole campaign: its result is the campaign’s. */
  task_id: TaskId;
  name: string;
  owner: string;
  state: CampaignState;
  /** Why it ended, in words; null while it runs. */
  reason: string | null;
  spec: CampaignSpec;
  progress: { evaluated: number; budget: number; fraction: number; step: string };
  best: CampaignIteration['best'];
  history: CampaignIteration[];
  /** The files of the newest surrogate, which together are one ensemble. */
  model_paths: string[];
  created_at: string;
  finished_at: string | null;
}

export interface ParetoView {
  front: Observation[];
  hypervolume: number;
  reference: Record<string, number>;
}

/** Where models and observations of a campaign lie; they go when it goes, so copy what is to stay. */
export function campaignFolder(id: CampaignId): string {
  return `/campaigns/${id}`;
}
