import { z } from 'zod';

/** Marks a plain string as an identifier of one kind, so that ids cannot be mixed up. */
type Brand<Name extends string> = string & { readonly __brand: Name };

/** `<shard>-<26 time-sortable characters>`: the shard that holds the task is part of its id, so finding a task needs no lookup. */
export type TaskId = Brand<'TaskId'>;
export type CampaignId = Brand<'CampaignId'>;
export type WorkflowId = Brand<'WorkflowId'>;
export type WorkerId = Brand<'WorkerId'>;

const sortable = '[0-9a-hjkmnp-tv-z]{26}';

const taskIdPattern = new RegExp(`^\\d{1,4}-${sortable}$`);

export function isTaskId(value: unknown): value is TaskId {
  return typeof value === 'string' && taskIdPattern.test(value);
}

export const taskIdSchema = z.custom<TaskId>(isTaskId, 'expected a task id');
export const campaignIdSchema = z.custom<CampaignId>(matches(new RegExp(`^c-${sortable}$`)), 'expected a campaign id');
export const workflowIdSchema = z.custom<WorkflowId>(matches(new RegExp(`^w-${sortable}$`)), 'expected a workflow id');
export const workerIdSchema = z.custom<WorkerId>(matches(/^[\w.@:-]{1,128}$/), 'expected a worker id');

function matches(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && pattern.test(value);
}

/** The shard number that a task id carries. */
export function shardOf(id: TaskId): number {
  return Number(id.slice(0, id.indexOf('-')));
}

const digits = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * 26 characters of Crockford's base 32 in lower case: 10 of time (ms since 1970), 16 of `random` (10 bytes).
 * Sorting the text sorts by time, which is how ULID does it (github.com/ulid/spec).
 */
export function sortableId(nowMs: number, random: Uint8Array): string {
  let time = '';
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = digits.charAt(rest % 32) + time;
  return time + fiveBytes(random, 0) + fiveBytes(random, 5);
}

/** Eight digits of the 40 bits that begin there. */
function fiveBytes(bytes: Uint8Array, from: number): string {
  const byte = (at: number): number => bytes[from + at] ?? 0;
  const middle = byte(2);
  return (
    fourDigits((byte(0) << 12) | (byte(1) << 4) | (middle >> 4)) +
    fourDigits(((middle & 15) << 16) | (byte(3) << 8) | byte(4))
  );
}

/** @param bits 20 of them */
function fourDigits(bits: number): string {
  const digit = (place: number): string => digits.charAt((bits >> place) & 31);
  return digit(15) + digit(10) + digit(5) + digit(0);
}
