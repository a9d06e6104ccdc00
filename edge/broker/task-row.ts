import type { Progress, TaskId, TaskState, WorkerId } from '#protocol';
import type { JsonRow, SqlValue } from '../lib/sql.ts';
import type { SpecTable } from './spec-table.ts';
import type { PastAttempt, StoredState, TaskOutcome, TaskRecord } from './task-record.ts';

/**
 * How a task lies in its row. Statements take rows as JSON; the column `value` of json_each is made anew for each look at it, so that they
 * look at it once.
 */

/** A row with `taskColumns`, in their order. */
type TaskRow = [
  id: string,
  lane: number,
  priority: number,
  state: string,
  attempt: number,
  retries: number,
  losses: number,
  revoking: number,
  queued: number,
  dueMs: number | null,
  expiresMs: number | null,
  startedMs: number | null,
  finishedMs: number | null,
  owner: string,
  task: string,
  worker: string | null,
  labels: string,
  spec: string,
  outcome: string | null,
  history: string,
  progress: string | null,
];

export const taskColumns = `id, lane, priority, state, attempt, retries, losses, revoking, queued, due_ms, expires_ms, started_ms, finished_ms,
  owner, task, worker, labels, spec, outcome, history, progress`;

/**
 * The record of a row.
 * @param longOutcome the text of an outcome that lies beside it
 */
export function recordOf(row: readonly SqlValue[], specs: SpecTable, longOutcome: (id: TaskId) => string): TaskRecord {
  const [id, lane, priority, state, attempt, retries, losses, revoking, queued, dueMs, expiresMs, ...more] =
    row as TaskRow;
  const [startedMs, finishedMs, owner, task, worker, labels, spec, outcome, history, progress] = more;
  const taskId = id as TaskId;
  const record: TaskRecord = {
    id: taskId,
    lane,
    priority,
    expiresMs,
    owner,
    task,
    labels: labels === '[]' ? none : (JSON.parse(labels) as string[]),
    spec: specs.load(spec),
    state: state as TaskState as StoredState,
    attempt,
    retries,
    losses,
    revoking: revoking === 1,
    queued: queued === 1,
    dueMs,
    startedMs,
    finishedMs,
    worker: worker as WorkerId | null,
    outcome: outcome === null ? null : (JSON.parse(outcome === '' ? longOutcome(taskId) : outcome) as TaskOutcome),
    history: none,
    progress: progress === null ? null : (JSON.parse(progress) as Progress),
  };
  if (history === '') record.history = [onlyAttempt(record)];
  else if (history !== '[]') record.history = JSON.parse(history) as PastAttempt[];
  return record;
}

const none: never[] = [];

/** The text of a row’s history: empty where the other columns tell it, as of all tasks that succeed at once. */
function historyText(record: TaskRecord): string {
  const [first, ...others] = record.history;
  if (first === undefined) return '[]';
  return others.length === 0 && isTold(record, first) ? '' : JSON.stringify(record.history);
}

function isTold(record: TaskRecord, past: PastAttempt): boolean {
  const told = onlyAttempt(record);
  return (
    record.state === 'SUCCESS' &&
    past.outcome === told.outcome &&
    past.attempt === told.attempt &&
    past.worker === told.worker &&
    past.startedMs === told.startedMs &&
    past.endedMs === told.endedMs &&
    past.imposed === undefined
  );
}

function onlyAttempt({ attempt, worker, startedMs, finishedMs }: TaskRecord): PastAttempt {
  return {
    attempt,
    worker: worker ?? ('' as WorkerId),
    startedMs: startedMs ?? 0,
    endedMs: finishedMs ?? 0,
    outcome: 'success',
  };
}

/** What a new task’s row begins with; the rest is the same for all. Takes rows as `newTaskRow` makes them, with or
 * without a keyed answer at the end. */
export const insertTasks = `
  WITH fresh AS MATERIALIZED (SELECT value AS tuple FROM json_each(?))
  INSERT INTO tasks (id, lane, priority, state, queued, due_ms, expires_ms, started_ms, owner, task, labels, spec, arguments,
    answer_key, answer, attempt, retries, losses, revoking, history)
  SELECT tuple->>0, tuple->>1, tuple->>2, tuple->>3, tuple->>4, tuple->>5, tuple->>6, tuple->>7, tuple->>8, tuple->>9, tuple->>10, tuple->>11,
    tuple->>12, tuple->>13, tuple->>14, 0, 0, 0, 0, '[]'
  FROM fresh`;

/** @param state as it came; what happened to it since is a change */
export function newTaskRow(record: TaskRecord, state: StoredState, spec: string, given: string): JsonRow {
  const { id, lane, priority, queued, dueMs, expiresMs, startedMs, owner, task, labels } = record;
  const labelsText = labels.length === 0 ? '[]' : JSON.stringify(labels);
  const place = [id, lane, priority, state, queued ? 1 : 0, dueMs, expiresMs, startedMs];
  return [...place, owner, task, labelsText, spec, given];
}

/** As a task was read, before it changed. */
export type Former = Pick<TaskRecord, 'state' | 'attempt'>;

/** Whether the task was new and has succeeded at once, as most do: then few columns differ from what they were. */
export function isFirstSuccess(record: TaskRecord, former: Former): boolean {
  return (
    former.state === 'PENDING' &&
    former.attempt === 0 &&
    record.state === 'SUCCESS' &&
    record.attempt === 1 &&
    record.retries === 0 &&
    record.losses === 0 &&
    !record.revoking &&
    record.dueMs === null &&
    record.progress === null &&
    historyText(record) === ''
  );
}

/** Writes first successes, of tasks that are still new. Takes rows as `firstSuccessRow` makes them. */
export const updateFirstSuccesses = `
  WITH changes AS MATERIALIZED (SELECT value AS tuple FROM json_each(?)), changed AS MATERIALIZED (
    SELECT tuple->>0 AS id, tuple->>1 AS started_ms, tuple->>2 AS finished_ms, tuple->>3 AS worker, tuple->>4 AS outcome FROM changes)
  UPDATE tasks SET state = 'SUCCESS', attempt = 1, queued = 0, due_ms = NULL, started_ms = changed.started_ms,
    finished_ms = changed.finished_ms, worker = changed.worker, outcome = changed.outcome, history = '', progress = NULL
  FROM changed
  WHERE tasks.id = changed.id AND tasks.state = 'PENDING' AND tasks.attempt = 0`;

export function firstSuccessRow({ id, startedMs, finishedMs, worker }: TaskRecord, outcome: string | null): JsonRow {
  return [id, startedMs, finishedMs, worker, outcome];
}

/** Writes what can change of a task, if it still is as it was read and not final. Takes rows as `changedTaskRow` makes them. */
export const updateTasks = `
  WITH changes AS MATERIALIZED (SELECT value AS tuple FROM json_each(?)), changed AS MATERIALIZED (
    SELECT tuple->>0 AS id, tuple->>1 AS old_state, tuple->>2 AS old_attempt, tuple->>3 AS state, tuple->>4 AS attempt, tuple->>5 AS retries,
      tuple->>6 AS losses, tuple->>7 AS revoking, tuple->>8 AS queued, tuple->>9 AS due_ms, tuple->>10 AS started_ms,
      tuple->>11 AS finished_ms, tuple->>12 AS worker, tuple->>13 AS outcome, tuple->>14 AS history, tuple->>15 AS progress
    FROM changes)
  UPDATE tasks SET state = changed.state, attempt = changed.attempt, retries = changed.retries, losses = changed.losses,
    revoking = changed.revoking, queued = changed.queued, due_ms = changed.due_ms, started_ms = changed.started_ms,
    finished_ms = changed.finished_ms, worker = changed.worker, outcome = changed.outcome, history = changed.history,
    progress = changed.progress
  FROM changed
  WHERE tasks.id = changed.id AND tasks.state = changed.old_state AND tasks.attempt = changed.old_attempt AND tasks.finished_ms IS NULL`;

export function changedTaskRow(record: TaskRecord, former: Former, outcome: string | null): JsonRow {
  const { id, state, attempt, retries, losses, revoking, queued, dueMs, startedMs, finishedMs, worker } = record;
  const counts = [state, attempt, retries, losses, revoking ? 1 : 0, queued ? 1 : 0];
  const progress = record.progress === null ? null : JSON.stringify(record.progress);
  const told = [dueMs, startedMs, finishedMs, worker, outcome, historyText(record), progress];
  return [id, former.state, former.attempt, ...counts, ...told];
}
