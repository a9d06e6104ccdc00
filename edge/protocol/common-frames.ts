import { isTaskId } from './ids.ts';
import { limits } from './limits.ts';
import type { WorkerFrame } from './frames.ts';

/**
 * True for the frames that come all the time, by hand: `workerFrameSchema` says the same of them, only thirty times as slowly, for workerd
 * forbids zod to compile its schemas. False says nothing: then the schema decides. A test holds the two together.
 */
export function isCommonFrame(value: unknown): value is WorkerFrame {
  if (!isObject(value)) return false;
  switch (value.type) {
    case 'outcomes':
      return (
        hasMembers(value, 3) && isCount(value.credits, 0, limits.maxCredits) && isListOf(value.items, isReportedSuccess)
      );
    case 'credits':
      return hasMembers(value, 2) && isCount(value.add, 1, limits.maxCredits);
    case 'started':
      return hasMembers(value, 2) && isListOf(value.items, isAttemptRef);
    default:
      return false;
  }
}

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As many members as those that are looked at: so there are no others. */
function hasMembers(value: Members, count: number): boolean {
  return Object.keys(value).length === count;
}

function isCount(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= limits.maxTasksPerFrame && value.every(isItem);
}

function isAttempt(item: Members): boolean {
  return isTaskId(item.task_id) && isCount(item.attempt, 1, Number.MAX_SAFE_INTEGER);
}

function isAttemptRef(item: unknown): boolean {
  return isObject(item) && hasMembers(item, 2) && isAttempt(item);
}

function isReportedSuccess(item: unknown): boolean {
  return (
    isObject(item) &&
    hasMembers(item, 4) &&
    isAttempt(item) &&
    Number.isFinite(item.runtime_ms) &&
    (item.runtime_ms as number) >= 0 &&
    isSuccess(item.outcome)
  );
}

function isSuccess(outcome: unknown): boolean {
  return isObject(outcome) && hasMembers(outcome, 2) && outcome.type === 'success' && outcome.result !== undefined;
}
