import { z } from 'zod';
import { columnNameSchema, filePathSchema } from '#protocol';

/** Whole numbers that every engine represents exactly. */
export const seedSchema = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** One candidate: values by name, or a row in the order of the space’s inputs. */
export const candidateSchema = z.union([z.record(columnNameSchema, z.number()), z.array(z.number()).min(1).max(1000)]);

/** One model file, or several that form one ensemble. */
export const modelPathSchema = z.union([filePathSchema, z.array(filePathSchema).min(1).max(64)]);

export const columnNamesSchema = z.array(columnNameSchema).min(1).max(1000);

/** One number, to be minimised, of several objectives: the augmented Tchebycheff function of `kernels/acquisition`. */
export const scalarizationSchema = z.strictObject({
  goals: z
    .array(z.enum(['max', 'min']))
    .min(1)
    .max(5),
  weights: z.array(z.number().min(0)).min(1).max(5),
  ideal: z.array(z.number()).min(1).max(5),
  nadir: z.array(z.number()).min(1).max(5),
});

const warmup = z.number().min(0).max(100_000).default(0);
const gamma = z.number().positive().max(1);

/** How a step size changes; lengths are in epochs. `kernels/mlp` says what each kind means. */
export const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), warmup }),
  /** `minimum`: the share of the step size at the end. */
  z.strictObject({ kind: z.literal('cosine'), warmup, minimum: z.number().min(0).max(1).default(0) }),
  z.strictObject({ kind: z.literal('step'), warmup, step_size: z.number().min(1), gamma: gamma.default(0.1) }),
  z.strictObject({ kind: z.literal('exponential'), warmup, gamma }),
]);

const percentages = <T extends z.ZodType>(value: T) => z.object({ 50: value, 90: value, 95: value });

/** What is known of a model’s standard deviations from held-out rows. */
export const calibrationSchema = z.object({
  /** For each target, the factor by which the model’s own spread was too small. */
  std_scale: z.array(z.number()),
  /** Continuous ranked probability score, in units of the target; mean over targets. */
  crps: z.number(),
  /** Shares of values inside the central 50, 90 and 95 % intervals; means over targets. */
  coverage: percentages(z.number()),
  conformal: z.object({
    /** For each target: mean ± factor · std holds 50, 90 and 95 % of values, whatever their distribution; null where rows are too few. */
    factors: percentages(z.array(z.number().nullable())),
    /** The share of rows inside such intervals, each half judged by the factor of the other; mean over targets. */
    coverage: percentages(z.number()),
  }),
});

export const stdScaleSchema = z.array(z.number().positive()).min(1).max(1000);

/** What a model says of a point, one number for each of its outputs. */
export const predictionSchema = z.object({ mean: z.array(z.number()), std: z.array(z.number()) });
