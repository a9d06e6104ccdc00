import { z } from 'zod';
import { isErrorCode, type ErrorCode } from './errors.ts';
import type { CampaignId, TaskId, WorkerId, WorkflowId } from './ids.ts';
import { jsonObjectSchema, jsonSchema, type Json, type JsonObject } from './json.ts';
import { limits } from './limits.ts';
import type { TaskState } from './states.ts';
import { durationSchema, nameSchema, timeSchema } from './text.ts';

/** Labels are short strings by which tasks are found and revoked. */
export const labelsSchema = z.array(z.string().min(1).max(limits.maxLabelChars)).max(limits.maxLabels);

export const errorCodeSchema = z.custom<ErrorCode>(isErrorCode, 'expected one of the error codes');

const errorCodesSchema = z.array(errorCodeSchema).min(1).max(50);

/** How each task that comes of a signature is to be run, be it one or one for each item. Durations in seconds. */
export const taskOptionsSchema = z.strictObject({
  queue: nameSchema.optional(),
  /** 9 runs first. */
  priority: z.int().min(0).max(9).optional(),
  max_retries: z.int().min(0).max(100).optional(),
  /** `false`: retry at once. A number: the first delay in seconds instead of 60. */
  retry_backoff: z.union([z.boolean(), durationSchema]).optional(),
  /** The longest delay, in seconds; 600 where nothing else is said. */
  retry_backoff_max: durationSchema.optional(),
  /** False: the delay is what the back-off says, not a random share of it. */
  retry_jitter: z.boolean().optional(),
  /** Errors after which it is tried again, and no others: Celery’s `autoretry_for`. Default: those that another attempt may mend. */
  retry_on: errorCodesSchema.optional(),
  /** Errors after which it is not: Celery’s `dont_autoretry_for`. With `worker_lost` it is not given out again when its worker vanishes. */
  dont_retry_on: errorCodesSchema.optional(),
  soft_time_limit: durationSchema.optional(),
  time_limit: durationSchema.optional(),
  /** At most `concurrency_limit` of one’s tasks with this key run at a time. */
  concurrency_key: z.string().min(1).max(limits.maxNameChars).optional(),
  concurrency_limit: z.int().min(1).max(10_000).optional(),
  labels: labelsSchema.optional(),
});

export type TaskOptions = z.infer<typeof taskOptionsSchema>;

/** What is submitted: Celery’s signature. Durations in seconds. What is absent takes the task type’s default. */
export const signatureSchema = z.strictObject({
  task: z.string().min(1).max(limits.maxNameChars),
  args: z.array(jsonSchema).optional(),
  kwargs: jsonObjectSchema.optional(),
  ...taskOptionsSchema.shape,
  /** Seconds to wait before it may run; not together with `eta`. */
  countdown: z.number().min(0).max(limits.maxDurationSeconds).optional(),
  eta: timeSchema.optional(),
  /** Seconds from now, or a time, after which it is revoked instead of begun. */
  expires: z.union([durationSchema, timeSchema]).optional(),
  quorum: z.int().min(1).max(5).optional(),
  idempotency_key: z.string().min(1).max(255).optional(),
});

export type Signature = z.infer<typeof signatureSchema>;

/** How far a running task has come. */
export const progressSchema = z.looseObject({
  /** 0 … 1. */
  fraction: z.number().min(0).max(1).optional(),
  message: z.string().max(1000).optional(),
});

export interface Progress {
  fraction?: number | undefined;
  message?: string | undefined;
  [detail: string]: unknown;
}

export const taskErrorSchema = z.strictObject({
  type: errorCodeSchema,
  message: z.string().max(10_000),
  traceback: z.string().max(100_000).optional(),
});

export type TaskError = z.infer<typeof taskErrorSchema>;

/** What became of one attempt, as its worker tells it. */
export const outcomeSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('success'), result: jsonSchema }),
  /** `retryable: false` ends the task at once, whatever retries are left. */
  z.strictObject({ type: z.literal('failure'), error: taskErrorSchema, retryable: z.boolean() }),
  /** Given back unharmed: it counts as no attempt, and any worker may have it at once. A snapshot sent before lets the next one continue. */
  z.strictObject({ type: z.literal('released'), reason: z.string().max(200) }),
  /** Stopped because the edge asked for it. */
  z.strictObject({ type: z.literal('revoked') }),
]);

export type Outcome = z.infer<typeof outcomeSchema>;

export interface AttemptView {
  attempt: number;
  worker: WorkerId;
  started_at: string;
  ended_at: string | null;
  /** `success`, `failure`, `released`, `revoked`, `lost`; null while it runs. */
  outcome: Outcome['type'] | 'lost' | null;
}

/** What submitted it, where that was no client; `tick` is the time that a schedule’s task stands for, null when it was run by hand. */
export type TaskParent =
  { workflow_id: WorkflowId } | { campaign_id: CampaignId } | { schedule: string; tick: string | null };

/** A task as `GET /v1/tasks/:id` shows it. */
export interface TaskView {
  task_id: TaskId;
  task: string;
  args: Json[];
  kwargs: JsonObject;
  state: TaskState;
  queue: string;
  priority: number;
  result: Json;
  error: TaskError | null;
  progress: Progress | null;
  retries: number;
  attempts: AttemptView[];
  worker: WorkerId | null;
  created_at: string;
  eta: string | null;
  started_at: string | null;
  finished_at: string | null;
  /** Seconds of the attempt that ended it. */
  runtime: number | null;
  labels: string[];
  retry_of: TaskId | null;
  parent: TaskParent | null;
  owner: string;
}

/** The answer to a submission, one for each task. */
export interface Submitted {
  task_id: TaskId;
  state: TaskState;
  queue: string;
}
