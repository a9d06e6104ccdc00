import { z } from 'zod';
import { rateTextSchema } from './rate.ts';
import { durationSchema } from './text.ts';

/** What `PATCH /v1/queues/:name` takes. What is absent stays as it is; null lifts a limit. */
export const queuePatchSchema = z.strictObject({
  /** Nothing of it is given out; submitting goes on. */
  paused: z.boolean().optional(),
  /** Tasks of the queue that begin, over all workers. */
  rate_limit: rateTextSchema.nullable().optional(),
  /** Tasks that may wait in it, those with an ETA included; over it submitting is refused with `queue_full`. */
  max_length: z.int().min(0).max(100_000_000).nullable().optional(),
});
export type QueuePatch = z.infer<typeof queuePatchSchema>;

/** Seconds. */
const timeLimitSchema = durationSchema.nullable().optional();

/** What `PATCH /v1/task-types/:name` takes. What is absent stays as it is; null lifts a limit, or goes back to the default. */
export const taskTypePatchSchema = z.strictObject({
  /** Tasks of the type that begin, over all workers and queues. */
  rate_limit: rateTextSchema.nullable().optional(),
  /** For tasks that name none of their own, and begin from now on. */
  soft_time_limit: timeLimitSchema,
  time_limit: timeLimitSchema,
});
export type TaskTypePatch = z.infer<typeof taskTypePatchSchema>;

/** What is set for a queue. */
export interface QueueSettings {
  paused: boolean;
  rate_limit: string | null;
  max_length: number | null;
}

/** What is set for a task type at run time; null where nothing is. */
export interface TaskTypeSettings {
  rate_limit: string | null;
  soft_time_limit: number | null;
  time_limit: number | null;
}
