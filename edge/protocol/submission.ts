import { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import { taskIdSchema, type TaskId } from './ids.ts';
import type { Json } from './json.ts';
import { limits } from './limits.ts';
import type { FinalState } from './states.ts';
import { signatureSchema, type Submitted, type TaskError } from './task.ts';

/** What a submitter says on `GET /v1/submit`. */
export const submitterFrameSchema = z.discriminatedUnion('type', [
  /** All or none. The same key again, on any socket or over HTTP, gives the same answer. What it submits is watched. */
  z.strictObject({
    type: z.literal('submit'),
    /** Chosen by the submitter; the answer has it too. */
    request_id: z.string().min(1).max(64),
    key: z.string().min(1).max(255).optional(),
    tasks: z.array(signatureSchema).min(1).max(limits.maxTasksPerRequest),
  }),
  /** Wants to hear how these end: after a connection was lost, or of tasks that another has submitted for the same owner. */
  z.strictObject({ type: z.literal('watch'), task_ids: z.array(taskIdSchema).min(1).max(limits.maxTasksPerRequest) }),
]);
export type SubmitterFrame = z.infer<typeof submitterFrameSchema>;

/** How a task ended. */
export interface TaskEnd {
  task_id: TaskId;
  state: FinalState;
  result: Json;
  error: TaskError | null;
}

/** What the edge says to a submitter. Members may be added, so that clients ignore unknown ones. */
export type SubmissionFrame =
  /** First, and again when the edge has forgotten what this socket watches: then the submitter says `watch` anew. */
  | { type: 'welcome'; shards: number }
  /** The tasks are durable. */
  | {
      type: 'submitted';
      request_id: string;
      tasks: Submitted[];
      /** False when this socket watches too many already: then the submitter says `watch` when it wants to know. */
      watched: boolean;
    }
  | { type: 'refused'; request_id: string; error: SubmissionError }
  /** Tasks that were watched are final. `unknown`: not there, or somebody else’s. */
  | { type: 'results'; items: TaskEnd[]; unknown?: TaskId[] }
  /** A frame that could not be read. */
  | { type: 'error'; error: SubmissionError };

export interface SubmissionError {
  code: ErrorCode;
  message: string;
  details?: Record<string, unknown>;
  /** Seconds. */
  retry_after?: number;
}
