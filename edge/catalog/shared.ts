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

export const stdScaleSchema = z.array(z.number().positive()).min(1).max(1000);

/** What a model says of a point, one number for each of its outputs. */
export const predictionSchema = z.object({ mean: z.array(z.number()), std: z.array(z.number()) });
