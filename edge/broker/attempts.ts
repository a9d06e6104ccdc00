import {
  isFinal,
  isoTime,
  type EventType,
  type FinalState,
  type JsonObject,
  type TaskError,
  type TaskId,
  type TaskParent,
} from '#protocol';
import { addressKey } from '../lib/outbox.ts';
import type { Core } from './core.ts';
import type { NewEvent } from './events.ts';
import { releaseSharing } from './flow/concurrency.ts';
import type { Lease } from './leases.ts';
import { endOf } from './submission.ts';
import { settle, type AttemptEnd } from './settle.ts';
import { addToHistory, visibleState, type StoredState, type TaskOutcome, type TaskRecord } from './task-record.ts';
import { mustMove, type TaskEvent } from './transitions.ts';

/** What happens to a task and its attempts inside a commit. */

export function taskEvent(record: TaskRecord, type: EventType, more: Partial<NewEvent> = {}): NewEvent {
  const { id, owner, task, lane, labels, spec } = record;
  const event: NewEvent = { type, owner, task_id: id, task, lane };
  if (labels.length > 0) event.labels = labels;
  if (spec.parent !== null) Object.assign(event, parentId(spec.parent));
  return Object.assign(event, more);
}

function parentId(parent: TaskParent): Partial<NewEvent> {
  if ('campaign_id' in parent) return { campaign_id: parent.campaign_id };
  return 'workflow_id' in parent ? { workflow_id: parent.workflow_id } : {};
}

/** Moves a task by an event that is known to be allowed, and saves it. */
export function move(core: Core, record: TaskRecord, lease: Lease | undefined, event: TaskEvent): void {
  record.state = mustMove(visibleState(record, lease), event) as StoredState;
  core.tasks.save(record);
}

/** How an attempt came to its end, beside the end itself. */
export interface AttemptDetails {
  /** As the worker measured it. */
  runtimeMs?: number;
  /** The edge ended it without asking the worker. */
  imposed?: boolean;
}

/** Ends the attempt that a lease stands for. */
export function endAttempt(core: Core, lease: Lease, end: AttemptEnd, details: AttemptDetails = {}): void {
  const record = core.tasks.get(lease.taskId);
  if (record === undefined) throw new Error(`${lease.taskId} is leased but not stored`);
  const nowMs = core.clock.now();
  const settlement = settle(record, end, nowMs, core.clock.random(), core.config);
  move(core, record, lease, settlement.event);
  core.leases.drop(lease);
  record.attempt = lease.attempt;
  record.worker = lease.workerId;
  record.progress = lease.progress ?? record.progress;
  // A worker cannot have computed for longer than it had the task.
  const runtimeMs = details.runtimeMs === undefined ? undefined : Math.min(details.runtimeMs, nowMs - lease.givenMs);
  const startedMs = lease.startedMs ?? nowMs - (runtimeMs ?? 0);
  addToHistory(record, {
    attempt: lease.attempt,
    worker: lease.workerId,
    startedMs,
    endedMs: nowMs,
    outcome: end.type,
    ...(details.imposed === true ? { imposed: true } : {}),
  });
  countForWorker(core, lease, end, runtimeMs ?? nowMs - startedMs);
  afterAttempt(core, record, settlement, end, startedMs);
  // Last, because looking for the next task writes what has changed.
  releaseSharing(core, core.lanes.get(lease.lane));
  if (lease.mayHaveSnapshot && isFinal(record.state)) core.effects.stopped.push(record.id);
}

/** Takes the report of an attempt whose lease ran out while nobody else was given the task. */
export function endLateAttempt(
  core: Core,
  record: TaskRecord,
  end: Extract<AttemptEnd, { type: 'success' | 'failure' }>,
  details: AttemptDetails,
): void {
  const nowMs = core.clock.now();
  const settlement = settle(record, end, nowMs, core.clock.random(), core.config);
  const past = record.history.find((entry) => entry.attempt === record.attempt);
  if (past === undefined) throw new Error(`${record.id} has no attempt ${record.attempt} to report late`);
  core.ready.remove(record.lane, record);
  move(core, record, undefined, settlement.event);
  addToHistory(record, { ...past, endedMs: nowMs, outcome: end.type });
  const busyMs = Math.min(details.runtimeMs ?? Infinity, nowMs - past.startedMs);
  core.workers.count(past.worker, end.type === 'success' ? 'succeeded' : 'failed', busyMs);
  afterAttempt(core, record, settlement, end, past.startedMs);
  if (isFinal(record.state)) core.effects.stopped.push(record.id);
}

function afterAttempt(
  core: Core,
  record: TaskRecord,
  settlement: ReturnType<typeof settle>,
  end: AttemptEnd,
  startedMs: number,
): void {
  if (settlement.event === 'fail') record.retries++;
  if (settlement.event === 'lose') record.losses++;
  record.dueMs = settlement.dueMs;
  if (end.type === 'success') record.outcome = { result: end.result };
  else if (settlement.error !== null) record.outcome = { error: settlement.error };
  if (isFinal(record.state)) {
    record.startedMs = startedMs;
    finish(core, record, record.state);
    return;
  }
  record.queued = record.dueMs === null;
  if (record.dueMs === null) core.ready.add(record.lane, record);
  else core.alarms.setBy('due', record.dueMs);
  if (record.state === 'PENDING' && record.expiresMs !== null) core.alarms.setBy('due', record.expiresMs);
  const reason = settlement.error?.type ?? 'released';
  core.events.add(
    taskEvent(record, 'task-retried', {
      ...(record.worker === null ? {} : { worker: record.worker }),
      data: {
        reason,
        retries: record.retries,
        ...(record.dueMs === null ? {} : { eta: isoTime(record.dueMs) }),
        ...(settlement.error ? { error: briefError(settlement.error) } : {}),
      },
    }),
  );
}

/** Ends a task for which no attempt is under way: revoked, expired, or held by an object. `record.state` is final already. */
export function finishQueued(core: Core, record: TaskRecord, outcome: TaskOutcome): void {
  core.ready.remove(record.lane, record);
  record.dueMs = null;
  record.outcome = outcome;
  if (!isFinal(record.state)) throw new Error(`${record.id} is ${record.state}, not final`);
  finish(core, record, record.state);
  if (record.attempt > 0) core.effects.stopped.push(record.id);
}

const maxEventMessageChars = 1000;

/** An error as events tell it: the task has the rest, and its traceback. */
function briefError({ type, message }: TaskError): JsonObject {
  return { type, message: message.slice(0, maxEventMessageChars) };
}

const finalEvents = {
  SUCCESS: 'task-succeeded',
  FAILURE: 'task-failed',
  REVOKED: 'task-revoked',
} as const satisfies Record<FinalState, EventType>;

function finish(core: Core, record: TaskRecord, state: FinalState): void {
  const nowMs = core.clock.now();
  record.finishedMs = nowMs;
  record.queued = false;
  const runtimeMs = record.startedMs === null ? 0 : nowMs - record.startedMs;
  const { outcome } = record;
  const error = outcome !== null && 'error' in outcome ? outcome.error : null;
  core.events.add(
    taskEvent(record, finalEvents[state], {
      ...(record.worker === null ? {} : { worker: record.worker }),
      data: {
        runtime: runtimeMs / 1000,
        retries: record.retries,
        ...(error === null ? {} : { error: briefError(error) }),
      },
    }),
  );
  core.progressed.delete(record.id);
  core.effects.finished.push(record.id);
  if (core.submitters.isWatched(record.id)) core.effects.ends.push(endOf(record));
  const { notify, ref } = record.spec;
  if (notify !== undefined) {
    const key = addressKey(notify);
    const notices = core.effects.notices.get(key) ?? [];
    core.effects.notices.set(key, notices);
    const result = outcome !== null && 'result' in outcome ? outcome.result : null;
    notices.push({ task_id: record.id, ref: ref ?? '', state, result, error, runtime_ms: runtimeMs });
  }
  core.writeSoon();
}

function countForWorker(core: Core, lease: Lease, end: AttemptEnd, busyMs: number): void {
  if (end.type === 'success') core.workers.count(lease.workerId, 'succeeded', busyMs);
  else if (end.type === 'failure') core.workers.count(lease.workerId, 'failed', busyMs);
}

/** Tells a worker to let go of attempts. */
export function tellRevoked(core: Core, lease: Lease, terminate: boolean): void {
  const session = core.sessions.byWorker(lease.workerId);
  if (session === undefined) return;
  core.effects.frames.push({
    socket: session.socket,
    frame: { type: 'revoke', items: [{ task_id: lease.taskId, attempt: lease.attempt, terminate }] },
  });
}

/** The records of tasks whose leases these are; none is missing. */
export function loadLeased(core: Core, leases: readonly Lease[]): void {
  core.tasks.load(leases.map((lease): TaskId => lease.taskId));
}
