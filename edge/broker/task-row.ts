import type { Progress, TaskId, TaskState, WorkerId } from '#protocol';
import type { SqlRow } from '../lib/sql.ts';
import type { PastAttempt, StoredState, TaskOutcome, TaskRecord, TaskSpec } from './task-record.ts';

/** How a task lies in its row. */

export interface TaskRow extends SqlRow {
  id: string;
  lane: number;
  priority: number;
  state: string;
  attempt: number;
  retries: number;
  losses: number;
  revoking: number;
  queued: number;
  due_ms: number | null;
  expires_ms: number | null;
  started_ms: number | null;
  finished_ms: number | null;
  owner: string;
  task: string;
  worker: string | null;
  labels: string;
  spec: string;
  outcome: string | null;
  history: string;
  progress: string | null;
}

/** The columns of `TaskRow`, in their order. */
export const taskColumns = `id, lane, priority, state, attempt, retries, losses, revoking, queued, due_ms, expires_ms, started_ms, finished_ms,
  owner, task, worker, labels, spec, outcome, history, progress`;

/** The record of a row; an outcome that lies beside it is missing. */
export function recordOf(row: TaskRow): TaskRecord {
  return {
    id: row.id as TaskId,
    lane: row.lane,
    priority: row.priority,
    expiresMs: row.expires_ms,
    owner: row.owner,
    task: row.task,
    labels: JSON.parse(row.labels) as string[],
    spec: JSON.parse(row.spec) as TaskSpec,
    state: row.state as TaskState as StoredState,
    attempt: row.attempt,
    retries: row.retries,
    losses: row.losses,
    revoking: row.revoking === 1,
    queued: row.queued === 1,
    dueMs: row.due_ms,
    startedMs: row.started_ms,
    finishedMs: row.finished_ms,
    worker: row.worker as WorkerId | null,
    outcome: row.outcome === null || row.outcome === '' ? null : (JSON.parse(row.outcome) as TaskOutcome),
    history: JSON.parse(row.history) as PastAttempt[],
    progress: row.progress === null ? null : (JSON.parse(row.progress) as Progress),
  };
}
