import { retryDelayMs, type ErrorCode, type Outcome, type TaskError } from '#protocol';
import type { EdgeConfig } from '../config.ts';
import type { TaskEvent } from './transitions.ts';
import type { TaskRecord, TaskSpec } from './task-record.ts';

/** What an attempt’s end means for its task. */
export interface Settlement {
  event: Extract<TaskEvent, 'succeed' | 'fail' | 'fail_finally' | 'release' | 'lose' | 'lose_finally' | 'terminate'>;
  /** The error that the task now shows, if any. */
  error: TaskError | null;
  /** Not to be given out before. */
  dueMs: number | null;
}

/** How an attempt ended: as its worker tells it, or by its lease running out. */
export type AttemptEnd = Outcome | { type: 'lost' };

/** Pure: the same task, end, time and chance always give the same answer. @param random uniform in [0, 1). */
export function settle(
  record: Pick<TaskRecord, 'retries' | 'losses' | 'revoking' | 'spec'>,
  end: AttemptEnd,
  nowMs: number,
  random: number,
  config: Pick<EdgeConfig, 'extraLosses'>,
): Settlement {
  switch (end.type) {
    case 'success':
      return { event: 'succeed', error: null, dueMs: null };
    case 'revoked':
      return { event: 'terminate', error: revokedError, dueMs: null };
    case 'released':
      return record.revoking
        ? { event: 'terminate', error: revokedError, dueMs: null }
        : { event: 'release', error: null, dueMs: null };
    case 'failure': {
      const { error, retryable } = end;
      if (
        !isRetried(record.spec, error.type, retryable) ||
        record.revoking ||
        record.retries >= record.spec.max_retries
      ) {
        return { event: 'fail_finally', error, dueMs: null };
      }
      const delayMs = retryDelayMs(record.spec.retry, record.retries, random);
      return { event: 'fail', error, dueMs: delayMs === 0 ? null : nowMs + delayMs };
    }
    case 'lost':
      if (record.revoking) return { event: 'terminate', error: revokedError, dueMs: null };
      // A vanished worker says nothing about the task, so that it has a budget of its own and no back-off.
      return record.spec.dont_retry_on?.includes('worker_lost') === true ||
        record.losses >= record.spec.max_retries + config.extraLosses
        ? { event: 'lose_finally', error: lostError, dueMs: null }
        : { event: 'lose', error: lostError, dueMs: null };
  }
}

/** Whether an error of this code leads to another attempt. @param retryable what the worker says of it, unless the task itself knows. */
function isRetried({ retry_on: only, dont_retry_on: never }: TaskSpec, code: ErrorCode, retryable: boolean): boolean {
  if (never?.includes(code) === true) return false;
  return only === undefined ? retryable : only.includes(code);
}

export const revokedError: TaskError = { type: 'revoked', message: 'The task was revoked.' };
export const expiredError: TaskError = { type: 'expired', message: 'The task was not begun before it expired.' };
const lostError: TaskError = { type: 'worker_lost', message: 'The worker vanished: its lease ran out.' };
