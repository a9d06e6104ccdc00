import { limits, TabgridError, type Assignment, type Principal } from '#protocol';
import { assignments } from './assignments.ts';
import type { Core } from './core.ts';
import { give } from './give.ts';
import { serves } from './lanes.ts';
import { isTrusted } from './ownership.ts';
import type { LeaseRequest } from './rpc.ts';
import { retentionPeriodMs } from './schedule.ts';
import type { Taker } from './takers.ts';
import { profileOf, type WorkerProfile } from './worker-table.ts';

/** A worker without a socket asks for tasks. What it is given has begun. @throws forbidden */
export function claimOverHttp(core: Core, principal: Principal, request: LeaseRequest): Assignment[] {
  const { worker_id: workerId, kernel_digest: kernelDigest, queues, capabilities } = request;
  const known = core.workers.get(workerId);
  if (known !== undefined && known.sub !== principal.sub) {
    throw new TabgridError('forbidden', `worker_id: "${workerId}" belongs to somebody else`);
  }
  const profile: WorkerProfile = {
    name: known?.profile.name ?? workerId,
    queues,
    concurrency: known?.profile.concurrency ?? request.count,
    capabilities,
    kernel_digest: kernelDigest,
    trusted: isTrusted(principal),
  };
  const nowMs = core.clock.now();
  const worker = core.workers.register(workerId, principal.sub, profile, true, nowMs);
  core.alarms.setBy('retention', nowMs + retentionPeriodMs(core));
  const taker: Taker = {
    workerId,
    sub: principal.sub,
    kernelDigest,
    room: Math.min(request.count, limits.maxTasksPerFrame),
    startsAtOnce: true,
    isPreferred: false,
    hasHeartbeat: false,
    leaseMs: core.config.leaseMs,
    given: [],
  };
  const wanted = profileOf(worker);
  give(core, (kind) => (serves(wanted, kind) ? [taker] : []));
  return assignments(core, taker);
}
