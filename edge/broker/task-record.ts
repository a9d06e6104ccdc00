import {
  isoTime,
  type Json,
  type JsonObject,
  type Outcome,
  type Progress,
  type TaskError,
  type TaskId,
  type TaskState,
  type TaskView,
  type WorkerId,
} from '#protocol';
import { idTimeMs } from '../lib/ids.ts';
import type { Lease } from './leases.ts';
import type { NewTask } from './rpc.ts';

/** What of a task never changes, besides what has a column of its own. */
export type TaskSpec = Pick<
  NewTask,
  | 'max_retries'
  | 'retry'
  | 'retry_on'
  | 'dont_retry_on'
  | 'soft_time_limit_ms'
  | 'time_limit_ms'
  | 'own_time_limits'
  | 'items'
  | 'eta_ms'
  | 'parent'
  | 'retry_of'
  | 'notify'
  | 'ref'
  | 'held'
>;

/** One attempt that has ended. */
export interface PastAttempt {
  attempt: number;
  worker: WorkerId;
  startedMs: number;
  endedMs: number;
  outcome: Outcome['type'] | 'lost';
  /** True when the edge ended it and the worker was not asked. */
  imposed?: boolean;
}

/** A task’s row. Its state lacks RECEIVED and STARTED, which a lease stands for. */
export interface TaskRecord {
  readonly id: TaskId;
  readonly lane: number;
  readonly priority: number;
  readonly expiresMs: number | null;
  readonly owner: string;
  readonly task: string;
  readonly labels: readonly string[];
  readonly spec: TaskSpec;
  state: StoredState;
  /** Attempts that have ended. */
  attempt: number;
  /** Failures after which it was tried again. */
  retries: number;
  /** Leases that ran out. */
  losses: number;
  /** Somebody revoked it while it ran: no further attempt. */
  revoking: boolean;
  /** In the stored queue; see the schema. */
  queued: boolean;
  dueMs: number | null;
  startedMs: number | null;
  finishedMs: number | null;
  worker: WorkerId | null;
  outcome: TaskOutcome | null;
  history: PastAttempt[];
  progress: Progress | null;
}

export type StoredState = Exclude<TaskState, 'RECEIVED'>;

/** What a task came to, or its last failure. */
export type TaskOutcome = { result: Json } | { error: TaskError };

export interface TaskArguments {
  args: Json[];
  kwargs: JsonObject;
}

/** Attempts that a task’s history remembers; older ones are forgotten first. */
const maxHistory = 50;

export function addToHistory(record: TaskRecord, attempt: PastAttempt): void {
  record.history = [...record.history.filter((past) => past.attempt !== attempt.attempt), attempt].slice(-maxHistory);
}

/** The state that the world sees. */
export function visibleState(record: Pick<TaskRecord, 'state'>, lease: Lease | undefined): TaskState {
  return lease === undefined ? record.state : lease.startedMs === null ? 'RECEIVED' : 'STARTED';
}

export function newRecord(id: TaskId, lane: number, task: NewTask, nowMs: number): TaskRecord {
  const held = task.held === true;
  const dueMs = !held && task.eta_ms !== null && task.eta_ms > nowMs ? task.eta_ms : null;
  return {
    id,
    lane,
    priority: task.priority,
    expiresMs: task.expires_ms,
    owner: task.owner,
    task: task.task,
    labels: task.labels,
    spec: {
      max_retries: task.max_retries,
      retry: task.retry,
      ...(task.retry_on === undefined ? {} : { retry_on: task.retry_on }),
      ...(task.dont_retry_on === undefined ? {} : { dont_retry_on: task.dont_retry_on }),
      soft_time_limit_ms: task.soft_time_limit_ms,
      time_limit_ms: task.time_limit_ms,
      ...(task.own_time_limits === true ? { own_time_limits: true } : {}),
      ...(task.items === undefined ? {} : { items: task.items }),
      eta_ms: task.eta_ms,
      parent: task.parent,
      retry_of: task.retry_of,
      ...(task.notify === undefined ? {} : { notify: task.notify }),
      ...(task.ref === undefined ? {} : { ref: task.ref }),
      ...(held ? { held } : {}),
    },
    state: held ? 'STARTED' : 'PENDING',
    attempt: 0,
    retries: 0,
    losses: 0,
    revoking: false,
    queued: !held && dueMs === null,
    dueMs,
    startedMs: held ? nowMs : null,
    finishedMs: null,
    worker: null,
    outcome: null,
    history: [],
    progress: null,
  };
}

/** A task as the API shows it. */
export function taskView(
  record: TaskRecord,
  queue: string,
  { args, kwargs }: TaskArguments,
  lease: Lease | undefined,
): TaskView {
  const state = visibleState(record, lease);
  const startedMs = lease === undefined ? record.startedMs : lease.startedMs;
  const { outcome, finishedMs } = record;
  return {
    task_id: record.id,
    task: record.task,
    args,
    kwargs,
    state,
    queue,
    priority: record.priority,
    result: outcome !== null && 'result' in outcome ? outcome.result : null,
    error: outcome !== null && 'error' in outcome ? outcome.error : null,
    progress: lease?.progress ?? record.progress,
    retries: record.retries,
    attempts: [
      ...record.history.map((past) => ({
        attempt: past.attempt,
        worker: past.worker,
        started_at: isoTime(past.startedMs),
        ended_at: isoTime(past.endedMs),
        outcome: past.outcome,
      })),
      ...(lease === undefined
        ? []
        : [
            {
              attempt: lease.attempt,
              worker: lease.workerId,
              started_at: isoTime(lease.startedMs ?? lease.givenMs),
              ended_at: null,
              outcome: null,
            },
          ]),
    ],
    worker: lease?.workerId ?? record.worker,
    created_at: isoTime(idTimeMs(record.id)),
    eta: record.spec.eta_ms === null ? null : isoTime(record.spec.eta_ms),
    started_at: startedMs === null ? null : isoTime(startedMs),
    finished_at: finishedMs === null ? null : isoTime(finishedMs),
    runtime: finishedMs === null || startedMs === null ? null : (finishedMs - startedMs) / 1000,
    labels: [...record.labels],
    retry_of: record.spec.retry_of,
    parent: record.spec.parent,
    owner: record.owner,
  };
}
