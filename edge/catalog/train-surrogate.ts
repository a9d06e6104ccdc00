import { z } from 'zod';
import { filePathSchema, forestShape, gpShape } from '#protocol';
import { calibrationSchema, columnNamesSchema, scheduleSchema, seedSchema } from './shared.ts';
import { taskType } from './task-type.ts';

const rowsSchema = z.union([
  z.array(z.record(z.string(), z.number())).min(1).max(100_000),
  /** Columns in the order inputs, then targets. */
  z.array(z.array(z.number()).min(2)).min(1).max(100_000),
]);

/** What every kind of model takes. */
const common = {
  dataset_path: filePathSchema.optional(),
  rows: rowsSchema.optional(),
  inputs: columnNamesSchema,
  targets: columnNamesSchema,
  validation_fraction: z.number().min(0).max(0.5).default(0.2),
  seed: seedSchema.default(0),
  /**
   * Where the model goes; without it, `/models/<task_id>.json`. A path ending in `.safetensors` makes a file of that kind, for perceptrons alone;
   * else JSON.
   */
  model_path: filePathSchema.optional(),
};

type Common = z.output<z.ZodObject<typeof common>>;

const hasOneSource = (kwargs: Common): boolean => (kwargs.dataset_path === undefined) !== (kwargs.rows === undefined);
const oneSource = { path: ['dataset_path'], message: 'expected either dataset_path or rows' };
const isJson = (kwargs: Common): boolean => kwargs.model_path?.endsWith('.safetensors') !== true;
const jsonOnly = { path: ['model_path'], message: 'expected no .safetensors file: only perceptrons fit one' };

/** An ensemble of multilayer perceptrons. */
const mlpSchema = z
  .strictObject({
    ...common,
    kind: z.literal('mlp').optional().default('mlp'),
    hidden: z.array(z.int().min(1).max(1024)).min(1).max(8).default([64, 64]),
    activation: z.enum(['relu', 'tanh', 'gelu']).default('relu'),
    epochs: z.int().min(1).max(100_000).default(200),
    batch_size: z.int().min(1).max(65_536).default(32),
    learning_rate: z.number().positive().max(1).default(0.001),
    weight_decay: z.number().min(0).max(10).default(0.0001),
    /** `adam` takes `weight_decay` as an L2 penalty, `adamw` decoupled from the gradient. */
    solver: z.enum(['adam', 'adamw']).default('adam'),
    schedule: scheduleSchema.default({ kind: 'constant', warmup: 0 }),
    /** Probability with which an output of a hidden layer is left out of a training step. */
    dropout: z.number().min(0).max(0.95).default(0),
    /** `gaussian_nll` learns the noise of each row beside its mean. */
    loss: z.enum(['squared_error', 'gaussian_nll']).default('squared_error'),
    /** β of β-NLL, for `gaussian_nll` alone. */
    beta: z.number().min(0).max(1).default(0),
    members: z.int().min(1).max(64).default(5),
    /** Epochs without improvement of the held-out loss after which training stops; 0 trains to the end. */
    patience: z.int().min(0).max(100_000).default(0),
  })
  .refine((kwargs) => kwargs.beta === 0 || kwargs.loss === 'gaussian_nll', {
    path: ['beta'],
    message: 'expected 0 unless the loss is gaussian_nll',
  })
  .refine(hasOneSource, oneSource);

/** A random forest for each target. */
const forestSchema = z
  .strictObject({
    ...common,
    kind: z.literal('forest'),
    n_estimators: forestShape.n_estimators.default(100),
    max_depth: forestShape.max_depth.default(null),
    min_samples_split: forestShape.min_samples_split.default(2),
    min_samples_leaf: forestShape.min_samples_leaf.default(1),
    max_features: forestShape.max_features.default(null),
  })
  .refine(hasOneSource, oneSource)
  .refine(isJson, jsonOnly);

/** A Gaussian process for each target, of at most 2000 rows. */
const gpSchema = z
  .strictObject({
    ...common,
    kind: z.literal('gp'),
    covariance: gpShape.covariance.default('matern52'),
    prior: gpShape.prior.default('none'),
    n_restarts_optimizer: gpShape.n_restarts_optimizer.default(2),
  })
  .refine(hasOneSource, oneSource)
  .refine(isJson, jsonOnly);

export const trainSurrogate = taskType({
  name: 'train_surrogate',
  aliases: ['materia.tasks.train_surrogate'],
  summary:
    'Trains perceptrons, a random forest or a Gaussian process on a file or on rows, and stores the model as a file.',
  queue: 'default',
  priority: 7,
  runsOn: ['tab', 'node'],
  verifiable: true,
  kwargs: z.discriminatedUnion('kind', [mlpSchema, forestSchema, gpSchema]),
  positional: ['dataset_path'],
  result: z.object({
    model_path: z.string(),
    sha256: z.string(),
    members: z.int(),
    /** Per member. */
    epochs_run: z.array(z.int()),
    train_loss: z.number().nullable(),
    /** On the held-out rows; null where there are none. */
    validation: z
      .object({
        rmse: z.number(),
        r2: z.number().nullable(),
        nll: z.number().nullable(),
        coverage_90: z.number().nullable(),
      })
      .nullable(),
    /** Null without held-out rows, or where the members do not differ; absent from workers that do not know it. */
    calibration: calibrationSchema.nullable().optional(),
    /** On the queue gpu_training alone: where perceptrons were trained at the end, and why there, in words. */
    backend: z.enum(['webgpu', 'wasm']).optional(),
    reason: z.string().optional(),
  }),
});
