import { z } from 'zod';
import { filePathSchema, nameSchema } from '#protocol';

/** Whole numbers that every engine represents exactly. */
export const seedSchema = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** One candidate: values by name, or a row in the order of the space’s inputs. */
export const candidateSchema = z.union([z.record(nameSchema, z.number()), z.array(z.number()).min(1).max(1000)]);

/** One model file, or several that form one ensemble. */
export const modelPathSchema = z.union([filePathSchema, z.array(filePathSchema).min(1).max(64)]);

export const columnNamesSchema = z.array(z.string().min(1).max(200)).min(1).max(1000);
