import { z } from 'zod';
import { acquisitionSchema, evaluatorSchema, filePathSchema } from '#protocol';
import {
  candidateSchema,
  columnNamesSchema,
  modelPathSchema,
  predictionSchema,
  scalarizationSchema,
  seedSchema,
  stdScaleSchema,
} from './shared.ts';
import { taskType } from './task-type.ts';

const boundSchema = z.union([z.number(), z.array(z.number()).min(1).max(1000)]);

/** A number, yes or no, a choice by name, a list by variable, a matrix, or values by index. */
const searchOptionSchema = z.union([
  z.number(),
  z.boolean(),
  z.string().max(64),
  z.array(z.union([z.number(), z.array(z.number()).max(1000)])).max(1000),
  z.record(z.string(), z.number()),
]);

export const runCmaesOptimization = taskType({
  name: 'run_cmaes_optimization',
  aliases: ['materia.tasks.run_cmaes_optimization'],
  summary: 'Minimises a test function, or maximises an acquisition over a model, with CMA-ES.',
  queue: 'default',
  priority: 7,
  runsOn: ['tab', 'node'],
  verifiable: true,
  kwargs: z.strictObject({
    objective: z.union([
      z.strictObject({
        suite: z.literal('bbob'),
        function: z.int().min(1).max(24),
        instance: z.int().min(1).max(1000),
      }),
      z.strictObject({ builtin: z.string().min(1).max(64) }),
      z.strictObject({
        model_path: modelPathSchema,
        acquisition: acquisitionSchema,
        goal: z.enum(['max', 'min']).default('max'),
        /** Best value so far, for `ei` and `pi`; of the scalarization, where there is one. */
        best: z.number().optional(),
        /** How a model of several outputs becomes one number, to be minimised; `goal` is then without effect. */
        scalarization: scalarizationSchema.optional(),
        /** Inputs that take whole numbers, by position. */
        integers: z.array(z.int().min(0)).optional(),
        /** For each output of the model, a factor on its standard deviations, from how well they have held so far. */
        std_scale: stdScaleSchema.optional(),
        /** Points already proposed or tried: their neighbourhood is shunned. */
        pending: z.array(z.array(z.number())).max(1000).optional(),
      }),
    ]),
    dimension: z.int().min(1).max(1000),
    bounds: z.tuple([boundSchema, boundSchema]).optional(),
    x0: z.array(z.number()).optional(),
    sigma0: z.number().positive().optional(),
    popsize: z.int().min(2).max(10_000).optional(),
    restarts: z.enum(['none', 'ipop', 'bipop']).default('none'),
    max_evaluations: z.int().min(1).max(1e9).optional(),
    target: z.number().optional(),
    seed: seedSchema.default(0),
    /** Further options under pycma’s names. */
    options: z.record(z.string(), searchOptionSchema).optional(),
  }),
  positional: ['objective', 'dimension'],
  result: z.object({
    x: z.array(z.number()),
    fun: z.number(),
    evaluations: z.int(),
    iterations: z.int(),
    restarts: z.int(),
    stop: z.record(z.string(), z.number()),
    /** At `x`, where the objective is a model’s. */
    prediction: predictionSchema.optional(),
  }),
});

export const scoreCandidates = taskType({
  name: 'score_candidates',
  aliases: [],
  summary: 'Scores every untried row of a pool by an acquisition over a model, and returns the best.',
  queue: 'default',
  priority: 7,
  runsOn: ['tab', 'node'],
  verifiable: true,
  kwargs: z.strictObject({
    model_path: modelPathSchema,
    pool: filePathSchema,
    inputs: columnNamesSchema,
    /** Rows of the pool, by number from 0, that are not to be proposed again. */
    exclude: z.array(z.int().min(0)).max(1_000_000).default([]),
    acquisition: acquisitionSchema,
    goal: z.enum(['max', 'min']),
    /** Best value so far, for `ei` and `pi`; without effect beside scalarizations, which carry their own. */
    best: z.number().optional(),
    /** For a model of several outputs: the first proposal is for the first of these, and so on, in turn. */
    scalarizations: z
      .array(z.strictObject({ ...scalarizationSchema.shape, best: z.number().optional() }))
      .min(1)
      .max(1000)
      .optional(),
    /** For each output of the model, a factor on its standard deviations, from how well they have held so far. */
    std_scale: stdScaleSchema.optional(),
    /** Points near which nothing new is to be learnt, such as those whose evaluation failed. */
    pending: z.array(z.array(z.number())).max(1000).optional(),
    count: z.int().min(1).max(1000),
    seed: seedSchema.default(0),
  }),
  positional: [],
  result: z.object({
    /** Best first. `row` counts the rows of the file from 0; rows with equal inputs are one candidate, the first of them. */
    proposals: z.array(
      z.object({
        row: z.int(),
        inputs: z.array(z.number()),
        score: z.number(),
        /** Of what was scored: the objective, or the scalarization. */
        mean: z.number(),
        std: z.number(),
        prediction: predictionSchema,
      }),
    ),
  }),
});

export const evaluateCandidates = taskType({
  name: 'evaluate_candidates',
  aliases: ['materia.tasks.evaluate_candidates'],
  summary:
    'Evaluates candidates by a table, a built-in function, a fitted model or an evaluator that the worker was started with.',
  queue: 'default',
  priority: 5,
  runsOn: ['tab', 'node'],
  verifiable: false,
  kwargs: z.strictObject({
    candidates: z.array(candidateSchema).min(1).max(1000),
    evaluator: evaluatorSchema,
    /** The names of a row’s values, where candidates are rows. */
    inputs: columnNamesSchema.optional(),
    /** The columns of a table, or of a model’s outputs, to return. Default: all that are not inputs. */
    objectives: columnNamesSchema.optional(),
  }),
  positional: ['candidates', 'evaluator'],
  result: z.object({
    /** In the order of the candidates; null where the evaluation failed. */
    values: z.array(z.record(z.string(), z.number().nullable()).nullable()),
    failed: z.array(z.object({ index: z.int(), error: z.string() })),
  }),
  needs: ({ evaluator }) => (evaluator?.kind === 'named' ? [`evaluator:${evaluator.name}`] : []),
  items: ({ candidates }) => candidates.length,
});

export const computeParetoFront = taskType({
  name: 'compute_pareto_front',
  aliases: ['materia.tasks.compute_pareto_front'],
  summary: 'Non-dominated set, ranks, crowding distances, hypervolume and each point’s contribution.',
  queue: 'default',
  priority: 2,
  runsOn: ['edge', 'tab', 'node'],
  verifiable: true,
  kwargs: z.strictObject({
    points: z.array(z.array(z.number()).min(1).max(5)).min(1).max(10_000),
    directions: z
      .array(z.enum(['min', 'max']))
      .min(1)
      .max(5),
    /** The corner of the hypervolume; without it, the worst value of each objective. */
    reference: z.array(z.number()).min(1).max(5).optional(),
  }),
  positional: ['points', 'directions', 'reference'],
  result: z.object({
    front: z.array(z.int()),
    ranks: z.array(z.int()),
    /** Crowding distances within each rank (NSGA-II); null for the ends, whose distance is infinite. */
    crowding: z.array(z.number().nullable()),
    hypervolume: z.number(),
    contributions: z.array(z.number()),
  }),
});

export const exportResults = taskType({
  name: 'export_results',
  aliases: ['materia.tasks.export_results'],
  summary: 'Writes a campaign’s results as files.',
  queue: 'low_priority',
  priority: 2,
  runsOn: ['edge'],
  verifiable: false,
  kwargs: z.strictObject({
    campaign_id: z.string().min(1).max(64),
    formats: z
      .array(z.enum(['json', 'csv']))
      .min(1)
      .default(['json', 'csv']),
    output_prefix: filePathSchema.default('/exports'),
  }),
  positional: ['campaign_id'],
  result: z.object({ files: z.array(z.string()) }),
});

export const runCampaign = taskType({
  name: 'run_campaign',
  aliases: ['materia.tasks.run_campaign'],
  summary: 'Stands for a whole campaign: it is running while the campaign is, and its result is the campaign’s.',
  queue: 'default',
  priority: 5,
  runsOn: ['object'],
  verifiable: false,
  internal: true,
  kwargs: z.strictObject({ campaign_id: z.string() }),
  positional: [],
  result: z.object({
    campaign_id: z.string(),
    reason: z.string(),
    evaluated: z.int(),
    best: z.object({ inputs: z.record(z.string(), z.number()), values: z.record(z.string(), z.number()) }).nullable(),
  }),
});
