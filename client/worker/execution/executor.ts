import type { Assignment, AttemptRef, Outcome, Progress, Snapshot } from '#protocol';

/** Why an attempt is stopped. Only `revoked` is reported to the edge; the others are known there, or told by `goodbye`. */
export type AbortReason = 'revoked' | 'lost' | 'handed_back' | 'left';

/** What an execution tells, in this order: `started` (brief ones may leave it out), any number of `progress` and `snapshot`, then one end: `finished` or `adopted`. */
export type ExecutionEvent =
  | { type: 'started' }
  | { type: 'progress'; progress: Progress }
  | { type: 'snapshot'; snapshot: Snapshot }
  | { type: 'finished'; outcome: Outcome; runtimeMs: number }
  /** A group of workers keeps it durably from here on and reports by itself. */
  | { type: 'adopted'; group: string };

export type ExecutionListener = (event: ExecutionEvent) => void;

/** A task to compute. */
export interface GivenAssignment extends Assignment {
  /** Which of the worker’s edges gave it, and has its files; without it, the first. */
  readonly edge?: number;
}

/** Computes attempts, as a rule away from the thread that keeps the connection. */
export interface Executor {
  /** @param isBrief it is expected to take less than the way to a thread, and may share that way with others. */
  start(assignment: GivenAssignment, listener: ExecutionListener, isBrief?: boolean): void;
  /** Stops an attempt, or drops an adopted one. Its execution ends with the outcome `revoked`. Unknown attempts are ignored. */
  abort(ref: AttemptRef, reason: AbortReason): void;
  /** Asks for a snapshot at the body’s next step; what cannot be continued elsewhere never answers. */
  askSnapshot(ref: AttemptRef): void;
  /** How many attempts may run at a time. */
  resize(concurrency: number): void;
  /** Replaces each thread as soon as it has nothing to do. */
  recycle(): void;
  /** Ends everything that still runs. */
  close(): Promise<void>;
}

/** One attempt’s name as a map’s key. */
export function attemptKey(ref: AttemptRef): string {
  return `${ref.task_id}/${ref.attempt}`;
}
