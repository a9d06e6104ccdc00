import { standardQueues, tasksThatRunOn } from '#catalog';
import type { WorkerId } from '#protocol';
import { edgeWorker, type Core } from './core.ts';
import type { Lease } from './leases.ts';
import type { WorkerSession } from './sessions.ts';
import type { TaskRecord } from './task-record.ts';
import type { WorkerProfile } from './worker-table.ts';

/** Somebody who takes tasks: a connected worker, the caller of a lease over HTTP, the stateless Worker. */
export interface Taker {
  readonly workerId: WorkerId;
  readonly sub: string;
  readonly kernelDigest: string;
  /** How many more it takes. */
  room: number;
  /** Computes at once what it is given, so that its attempts begin with the lease. */
  readonly startsAtOnce: boolean;
  /** Takes what it can before others do: the stateless Worker is always awake. */
  readonly isPreferred: boolean;
  /** Heartbeats on a socket renew its leases. */
  readonly hasHeartbeat: boolean;
  readonly leaseMs: number;
  given: { record: TaskRecord; lease: Lease }[];
}

export function sessionTaker(core: Core, session: WorkerSession): Taker {
  return {
    workerId: session.worker.workerId,
    sub: session.principal.sub,
    kernelDigest: session.worker.profile.kernel_digest,
    room: session.credits,
    startsAtOnce: false,
    isPreferred: false,
    hasHeartbeat: true,
    leaseMs: core.config.leaseMs,
    given: [],
  };
}

export function edgeTaker(core: Core, room: number): Taker {
  if (core.workers.get(edgeWorker.id) === undefined) {
    core.workers.register(edgeWorker.id, edgeWorker.sub, edgeProfile(core), true, core.clock.now());
  }
  return {
    workerId: edgeWorker.id,
    sub: edgeWorker.sub,
    kernelDigest: '',
    room,
    startsAtOnce: true,
    isPreferred: true,
    hasHeartbeat: false,
    leaseMs: core.config.edgeTimeLimitMs + core.config.hardLimitGraceMs,
    given: [],
  };
}

function edgeProfile(core: Core): WorkerProfile {
  return {
    name: 'edge',
    queues: [...standardQueues],
    concurrency: core.config.edgeConcurrency,
    capabilities: { runtime: 'edge', cores: 1, gpu: false, tasks: tasksThatRunOn('edge'), evaluators: [] },
    kernel_digest: '',
    trusted: true,
  };
}
