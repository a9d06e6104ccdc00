import { endAttempt, finishQueued, loadLeased, move, tellRevoked } from './attempts.ts';
import { edgeWorker, type AlarmName, type Core } from './core.ts';
import { checkpoint } from './lease-rows.ts';
import { hardEndMs, leaseEndMs, type Lease } from './leases.ts';
import { expiredError } from './settle.ts';
import { retentionPeriodMs } from './schedule.ts';
import { firstIdAt } from '../lib/ids.ts';

/** Tasks that one commit touches; what is left is done in the next one, so that nobody waits long. */
const batchCount = 1000;
/** With fewer lanes it isn’t worth looking for those that no task is left of. */
const lanesToTrim = 500;

/** Does what is due. */
export function sweep(core: Core): void {
  for (const name of core.alarms.take(core.clock.now())) sweepOne(core, name);
}

function sweepOne(core: Core, name: AlarmName): void {
  switch (name) {
    case 'leases':
      sweepLeases(core);
      break;
    case 'due':
      sweepDue(core);
      break;
    case 'retention':
      sweepRetention(core);
      break;
    case 'outbox':
      core.effects.flushOutbox = true;
  }
}

/** When the lease ends by itself, as far as is known now. */
function endMs(core: Core, lease: Lease): number {
  const session = core.sessions.byWorker(lease.workerId);
  return leaseEndMs(lease, session === undefined ? null : core.sessions.seenMs(session), core.config);
}

function sweepLeases(core: Core): void {
  const nowMs = core.clock.now();
  const overdue: { lease: Lease; isHard: boolean }[] = [];
  let nextMs = Infinity;
  for (const lease of core.leases.all()) {
    const hardMs = hardEndMs(lease, core.config);
    const leaseMs = endMs(core, lease);
    if (Math.min(hardMs, leaseMs) > nowMs) nextMs = Math.min(nextMs, hardMs, leaseMs);
    else overdue.push({ lease, isHard: hardMs <= nowMs });
  }
  loadLeased(
    core,
    overdue.map(({ lease }) => lease),
  );
  for (const { lease, isHard } of overdue) {
    if (isHard) endByHardLimit(core, lease);
    else loseLease(core, lease);
  }
  beat(core);
  if (Number.isFinite(nextMs)) core.alarms.setBy('leases', nextMs);
}

function endByHardLimit(core: Core, lease: Lease): void {
  const message = `The hard time limit of ${lease.limitMs / 1000} s ended the task.`;
  tellRevoked(core, lease, true);
  endAttempt(
    core,
    lease,
    { type: 'failure', retryable: true, error: { type: 'time_limit_exceeded', message } },
    { imposed: true },
  );
}

/** The worker has vanished: its task goes to others, at once. */
export function loseLease(core: Core, lease: Lease): void {
  endAttempt(core, lease, { type: 'lost' });
}

/** Tells listeners who is alive, as often as leases are looked at. */
function beat(core: Core): void {
  for (const session of core.sessions.all()) {
    const worker = session.worker.workerId;
    core.events.add({
      type: 'worker-heartbeat',
      owner: null,
      worker,
      time_ms: core.sessions.seenMs(session),
      data: { active: core.leases.countOf(worker) },
    });
  }
}

/** ETA, back-off and expiry. */
function sweepDue(core: Core): void {
  const nowMs = core.clock.now();
  // A task that is out on lease has been begun; its row looks the same as one that waits.
  const expired = core.stored
    .expiring(nowMs, batchCount + core.leases.size)
    .filter((id) => core.leases.get(id) === undefined);
  for (const record of core.tasks.load(expired)) {
    move(core, record, undefined, 'expire');
    finishQueued(core, record, { error: expiredError });
  }
  const due = core.tasks.load(core.stored.due(nowMs, batchCount));
  for (const record of due) {
    record.dueMs = null;
    record.queued = true;
    core.tasks.save(record);
  }
  core.tasks.flush();
  for (const record of due) core.ready.add(record.lane, record);
  const next = expired.length >= batchCount ? nowMs : core.stored.nextDue(nowMs);
  if (next !== null) core.alarms.setBy('due', Math.max(next, nowMs));
}

function sweepRetention(core: Core): void {
  const nowMs = core.clock.now();
  const cutoffMs = nowMs - core.config.resultRetentionMs;
  const campaignCutoffMs = nowMs - core.config.campaignRetentionMs;
  core.tasks.flush();
  const before = firstIdAt(core.shard, Math.max(cutoffMs, campaignCutoffMs));
  const deleted = core.stored.deleteFinal(before, cutoffMs, campaignCutoffMs, batchCount);
  checkpoint(core);
  const trimmed = core.events.trim(nowMs - core.config.eventRetentionMs, batchCount);
  const leftWorkers = core.workers.trim(
    cutoffMs,
    (id) => id === edgeWorker.id || core.leases.countOf(id) > 0 || core.sessions.byWorker(id) !== undefined,
  );
  if (deleted < batchCount && core.lanes.size > lanesToTrim) {
    if (core.lanes.trim() > 0) core.ready.reset();
  }
  const isUnfinished = deleted === batchCount || trimmed === batchCount;
  if (isUnfinished) core.alarms.set('retention', nowMs);
  else if (!core.stored.isEmpty() || core.events.hasOlder || leftWorkers > 0) {
    core.alarms.set('retention', nowMs + retentionPeriodMs(core));
  }
}
