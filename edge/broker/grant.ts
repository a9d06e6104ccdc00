import { taskEvent } from './attempts.ts';
import type { Core } from './core.ts';
import { timeLimitsOf } from './flow/time-limits.ts';
import type { Lease } from './leases.ts';
import { nextCheckMs } from './schedule.ts';
import type { Taker } from './takers.ts';
import type { TaskRecord } from './task-record.ts';

/** Gives a worker the right to one attempt. */
export function grantLease(core: Core, record: TaskRecord, taker: Taker): void {
  const nowMs = core.clock.now();
  const { hardMs } = timeLimitsOf(core, record);
  const lease: Lease = {
    taskId: record.id,
    attempt: record.attempt + 1,
    workerId: taker.workerId,
    lane: record.lane,
    sub: taker.sub,
    givenMs: nowMs,
    limitMs: hardMs,
    startedMs: taker.startsAtOnce ? nowMs : null,
    expiresMs: nowMs + taker.leaseMs,
    isExact: !taker.hasHeartbeat,
    group: null,
    progress: null,
    graces: 0,
    mayHaveSnapshot: record.attempt > 0,
  };
  core.leases.grant(lease);
  core.tasks.passQueue(record);
  taker.given.push({ record, lease });
  core.alarms.setBy('leases', nextCheckMs(core, lease));
  core.events.add(
    taskEvent(record, 'task-received', {
      worker: taker.workerId,
      data: {
        attempt: lease.attempt,
        ...(hardMs === record.spec.time_limit_ms ? {} : { time_limit: hardMs / 1000 }),
      },
    }),
  );
  if (taker.startsAtOnce) core.events.add(taskEvent(record, 'task-started', { worker: taker.workerId }));
}
