import {
  isDeeperThan,
  isLongerThan,
  limits,
  TabgridError,
  type AttemptRef,
  type Outcome,
  type Progress,
  type Snapshot,
  type TaskId,
  type WorkerId,
} from '#protocol';
import { endAttempt, endLateAttempt, taskEvent, type AttemptDetails } from './attempts.ts';
import type { Core } from './core.ts';
import { isFull } from './flow/concurrency.ts';
import { timeLimitsOf } from './flow/time-limits.ts';
import { nextCheckMs } from './schedule.ts';
import { isHolder, judge, renew, type Lease, type Reporter } from './leases.ts';
import type { TaskRecord } from './task-record.ts';
import { mustMove } from './transitions.ts';

/** What workers say about attempts, whether by frame or over HTTP. What is said about a lost lease changes nothing. */

/** The reporter’s lease, if it still has it. */
export function leaseOf(core: Core, reporter: Reporter, id: TaskId, attempt: number): Lease | undefined {
  const lease = core.leases.get(id);
  return lease !== undefined && isHolder(lease, attempt, reporter) ? lease : undefined;
}

export function leaseLost(id: TaskId, attempt: number): TabgridError {
  return new TabgridError('lease_lost', `attempt ${attempt} of ${id} is no longer yours`);
}

/** @throws lease_lost */
function mustHold(core: Core, reporter: Reporter, id: TaskId, attempt: number): Lease {
  const lease = leaseOf(core, reporter, id, attempt);
  if (lease === undefined) throw leaseLost(id, attempt);
  return lease;
}

/** An attempt has begun to compute. */
export function start(core: Core, reporter: Reporter, { task_id: id, attempt }: AttemptRef): void {
  const lease = leaseOf(core, reporter, id, attempt);
  if (lease?.startedMs !== null) return;
  lease.startedMs = core.clock.now();
  core.leases.stale.add(lease.workerId);
  core.writeSoon();
  core.alarms.setBy('leases', nextCheckMs(core, lease));
  const record = core.tasks.get(id);
  if (record !== undefined) core.events.add(taskEvent(record, 'task-started', { worker: lease.workerId }));
}

/** The worker is alive: renews one lease. @throws lease_lost */
export function renewLease(core: Core, reporter: Reporter, id: TaskId, attempt: number): void {
  const lease = mustHold(core, reporter, id, attempt);
  renew(lease, core.clock.now(), core.config);
  core.leases.stale.add(lease.workerId);
  core.writeSoon();
}

/** More of a progress message than this is cut to its fraction and message. */
const maxProgressChars = 8_192;

/** Keeps how far an attempt has come; it is told and written with the next lazy write. @returns false for a lost lease. */
export function progress(core: Core, reporter: Reporter, id: TaskId, attempt: number, said: Progress): boolean {
  const lease = leaseOf(core, reporter, id, attempt);
  if (lease === undefined) return false;
  start(core, reporter, { task_id: id, attempt });
  lease.progress = boundedProgress(said);
  core.leases.stale.add(lease.workerId);
  core.progressed.set(id, lease.progress);
  core.writeSoon();
  return true;
}

export function boundedProgress(said: Progress): Progress {
  if (!isDeeperThan(said, limits.maxJsonDepth) && JSON.stringify(said).length <= maxProgressChars) return said;
  return {
    ...(said.fraction === undefined ? {} : { fraction: said.fraction }),
    ...(said.message === undefined ? {} : { message: said.message }),
  };
}

/** Keeps where an attempt could be continued. */
export function keepSnapshot(core: Core, reporter: Reporter, ref: AttemptRef, snapshot: Snapshot): void {
  const lease = leaseOf(core, reporter, ref.task_id, ref.attempt);
  if (lease === undefined) return;
  core.tasks.setPayload(ref.task_id, 'snapshot', JSON.stringify(snapshot));
  lease.mayHaveSnapshot = true;
}

/** An attempt has ended. `lease_lost`: its outcome is not used. */
export function report(
  core: Core,
  reporter: Reporter,
  { task_id: id, attempt }: AttemptRef,
  said: Outcome,
  details: AttemptDetails,
): 'recorded' | 'lease_lost' {
  const outcome = boundedOutcome(said);
  const record = core.tasks.get(id);
  const lease = core.leases.get(id);
  const verdict = judge(record, lease, attempt, outcome.type, reporter, (worker) => isAuthor(core, reporter, worker));
  switch (verdict) {
    case 'current':
      if (lease !== undefined) endAttempt(core, lease, outcome, details);
      return 'recorded';
    case 'late':
      // It is back in the queue already, so that giving it back again, or stopping, changes nothing.
      if (record !== undefined && (outcome.type === 'success' || outcome.type === 'failure')) {
        endLateAttempt(core, record, outcome, details);
      }
      return 'recorded';
    case 'repeat':
      return 'recorded';
    case 'lost':
      return 'lease_lost';
  }
}

/** A result must fit the task; what is larger is a file. A worker would repeat what is refused, so that a bad result is a failure instead. */
function boundedOutcome(outcome: Outcome): Outcome {
  if (outcome.type !== 'success') return outcome;
  const text = JSON.stringify(outcome.result);
  // A level takes two characters, and a character up to three bytes.
  const isDeep = text.length > limits.maxJsonDepth * 2 && isDeeperThan(outcome.result, limits.maxJsonDepth);
  if (isDeep) {
    const message = `the result is nested more than ${limits.maxJsonDepth} levels deep`;
    return { type: 'failure', retryable: false, error: { type: 'invalid_input', message } };
  }
  if (!isLongerThan(text, limits.maxResultBytes)) return outcome;
  const bytes = new TextEncoder().encode(text).length;
  const message = `the result has ${bytes} bytes; larger ones than ${limits.maxResultBytes} must be files`;
  return { type: 'failure', retryable: false, error: { type: 'body_too_large', message } };
}

function isAuthor(core: Core, { sub, workerId }: Reporter, author: WorkerId): boolean {
  return workerId === null ? core.workers.get(author)?.sub === sub : workerId === author;
}

/** A group of workers keeps these attempts durably from now on. @returns those that are lost. */
export function adopt(core: Core, reporter: Reporter, group: string, items: readonly AttemptRef[]): AttemptRef[] {
  return items.filter(({ task_id: id, attempt }) => {
    const lease = leaseOf(core, reporter, id, attempt);
    if (lease === undefined) return true;
    const nowMs = core.clock.now();
    lease.group = group;
    lease.isExact = true;
    lease.startedMs ??= nowMs;
    lease.expiresMs = lease.startedMs + lease.limitMs + core.config.hardLimitGraceMs;
    core.leases.dirty.add(lease.workerId);
    return false;
  });
}

/** A worker that was away still computes an attempt. @returns false when it has lost it. */
export function keepHolding(core: Core, reporter: Reporter & { workerId: WorkerId }, ref: AttemptRef): boolean {
  const lease = leaseOf(core, reporter, ref.task_id, ref.attempt);
  if (lease !== undefined) {
    lease.isExact = lease.group !== null;
    renew(lease, core.clock.now(), core.config);
    core.leases.dirty.add(lease.workerId);
    start(core, reporter, ref);
    return true;
  }
  const record = core.tasks.get(ref.task_id);
  const verdict = judge(record, core.leases.get(ref.task_id), ref.attempt, 'success', reporter, (worker) =>
    isAuthor(core, reporter, worker),
  );
  if (verdict !== 'late' || record === undefined || isFull(core, core.lanes.get(record.lane))) return false;
  resume(core, reporter, record);
  return true;
}

/** Gives an attempt back to the worker whose lease of it had run out. */
function resume(core: Core, reporter: Reporter & { workerId: WorkerId }, record: TaskRecord): void {
  const nowMs = core.clock.now();
  const past = record.history.find(({ attempt }) => attempt === record.attempt);
  core.ready.remove(record.lane, record);
  // Its row goes on saying that it waits; the lease is what makes it STARTED.
  mustMove(record.state, 'resume');
  core.tasks.save(record);
  record.history = record.history.filter((entry) => entry !== past);
  record.attempt -= 1;
  const lease: Lease = {
    taskId: record.id,
    attempt: record.attempt + 1,
    workerId: reporter.workerId,
    lane: record.lane,
    sub: reporter.sub,
    givenMs: past?.startedMs ?? nowMs,
    limitMs: timeLimitsOf(core, record).hardMs,
    startedMs: past?.startedMs ?? nowMs,
    expiresMs: nowMs + core.config.leaseMs,
    isExact: false,
    group: null,
    progress: record.progress,
    graces: 0,
    mayHaveSnapshot: true,
  };
  core.leases.grant(lease);
  // No event tells of it.
  core.leases.dirty.add(lease.workerId);
  core.alarms.setBy('leases', nextCheckMs(core, lease));
  core.events.add(taskEvent(record, 'task-started', { worker: reporter.workerId }));
}
