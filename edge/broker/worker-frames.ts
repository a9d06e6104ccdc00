import {
  errorBody,
  isCommonFrame,
  limits,
  protocolVersion,
  TabgridError,
  workerFrameSchema,
  type AttemptRef,
  type EdgeFrame,
  type Principal,
  type WorkerFrame,
} from '#protocol';
import { endAttempt } from './attempts.ts';
import type { Core } from './core.ts';
import { invalidFrame, parseFrameText } from './frame-text.ts';
import { isTrusted } from './ownership.ts';
import type { Lease, Reporter } from './leases.ts';
import { adopt, keepHolding, keepSnapshot, progress, report, start } from './reports.ts';
import type { WorkerSession } from './sessions.ts';
import { retentionPeriodMs } from './schedule.ts';
import type { AttemptEnd } from './settle.ts';
import type { WorkerProfile } from './worker-table.ts';

/** Close codes of worker sockets, as RFC 6455 numbers them for private use. */
export const closeCodes = {
  /** The worker said goodbye. */
  goodbye: 1000,
  tooLarge: 1009,
  /** The first frame was no `hello`, or one that is not spoken here. */
  handshake: 4400,
  forbidden: 4403,
  /** The same worker has connected anew. */
  replaced: 4409,
} as const;

type Hello = Extract<WorkerFrame, { type: 'hello' }>;

/** Reads a frame. @throws TabgridError `invalid_frame`, `unknown_message`, `body_too_large`, `upgrade_required` */
export function parseFrame(text: string | ArrayBuffer): WorkerFrame {
  const json = parseFrameText(text, limits.maxFrameBytes);
  if (isCommonFrame(json)) return json;
  const parsed = workerFrameSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const type = (json as { type?: unknown } | null)?.type;
  if (typeof type === 'string' && !frameTypes.has(type)) {
    throw new TabgridError('unknown_message', `no frame has the type "${type.slice(0, 64)}"`);
  }
  if (type === 'hello' && (json as { protocol?: unknown }).protocol !== protocolVersion) {
    throw new TabgridError('upgrade_required', `this edge speaks version ${protocolVersion} of the worker protocol`);
  }
  throw invalidFrame(parsed.error);
}

const frameTypes = new Set<string>(workerFrameSchema.options.map((option) => option.shape.type.value));

export function errorFrame(error: TabgridError): EdgeFrame {
  const { code, message } = errorBody(error).error;
  return { type: 'error', error: { code, message } };
}

/** A worker comes, or comes back: what it still holds stays its own, what it doesn’t is given to others. @throws forbidden, conflict */
export function hello(core: Core, socket: WebSocket, principal: Principal, frame: Hello): void {
  const { worker_id: workerId } = frame;
  const known = core.workers.get(workerId);
  if (known !== undefined && known.sub !== principal.sub) {
    throw new TabgridError('forbidden', `worker_id: "${workerId}" belongs to somebody else`);
  }
  const speaker = core.sessions.bySocket(socket)?.worker.workerId;
  if (speaker !== undefined && speaker !== workerId) {
    throw new TabgridError('conflict', `worker_id: this socket speaks for "${speaker}" already`);
  }
  const wasOnline = core.sessions.byWorker(workerId) !== undefined;
  const nowMs = core.clock.now();
  const worker = core.workers.register(workerId, principal.sub, profileFrom(frame, principal), true, nowMs);
  core.alarms.setBy('retention', nowMs + retentionPeriodMs(core));
  const replaced = core.sessions.open(socket, principal, worker, {
    credits: frame.credits,
    batches: frame.batches === true,
  });
  if (replaced !== undefined) {
    core.effects.closes.push({ socket: replaced.socket, code: closeCodes.replaced, reason: 'connected anew' });
  }
  const session = core.sessions.byWorker(workerId);
  if (session !== undefined) core.effects.sessions.add(session);
  const reporter = { sub: principal.sub, workerId };
  const lost = frame.holding.filter((ref) => !keepHolding(core, reporter, ref));
  // By attempt: of an attempt that it was given since and never got, it knows nothing.
  const held = new Set(frame.holding.map(attemptKey));
  for (const lease of core.leases.of(workerId)) {
    if (held.has(attemptKey({ task_id: lease.taskId, attempt: lease.attempt })) || lease.group !== null) continue;
    endAttempt(core, lease, unheld(core, lease));
  }
  core.effects.frames.push({
    socket,
    frame: {
      type: 'welcome',
      protocol: protocolVersion,
      lease_ms: core.config.leaseMs,
      heartbeat_ms: core.config.heartbeatMs,
      lost,
      shards: core.config.shards,
      max_holding: limits.maxCredits,
    },
  });
  if (wasOnline) return;
  const { name, queues, concurrency, capabilities } = frame;
  const data = { name, queues, concurrency, runtime: capabilities.runtime };
  core.events.add({ type: 'worker-online', owner: null, worker: workerId, data });
}

/** What was given to a worker that knows nothing of it: the frame, or the worker’s memory, is lost. */
function unheld(core: Core, { taskId }: Lease): AttemptEnd {
  const mayRunTwice = core.tasks.get(taskId)?.spec.dont_retry_on?.includes('worker_lost') !== true;
  return mayRunTwice ? { type: 'released', reason: 'not held after reconnecting' } : { type: 'lost' };
}

function attemptKey({ task_id: id, attempt }: AttemptRef): string {
  return `${id}/${attempt}`;
}

function profileFrom(frame: Hello, principal: Principal): WorkerProfile {
  return {
    name: frame.name,
    queues: frame.queues,
    concurrency: frame.concurrency,
    capabilities: frame.capabilities,
    kernel_digest: frame.kernel_digest,
    trusted: isTrusted(principal),
  };
}

/** A frame of a worker that has said hello. `control_reply` never comes here: nothing of it is stored. */
export function takeFrame(
  core: Core,
  session: WorkerSession,
  frame: Exclude<WorkerFrame, { type: 'hello' | 'control_reply' }>,
): void {
  const reporter: Reporter = { sub: session.principal.sub, workerId: session.worker.workerId };
  session.seenMs = core.clock.now();
  core.effects.sessions.add(session);
  switch (frame.type) {
    case 'credits':
      addCredits(session, frame.add);
      break;
    case 'withdraw':
      withdraw(core, session, frame.count);
      break;
    case 'started':
      for (const ref of frame.items) start(core, reporter, ref);
      break;
    case 'progress':
      for (const item of frame.items) progress(core, reporter, item.task_id, item.attempt, item.progress);
      break;
    case 'snapshot':
      keepSnapshot(core, reporter, frame, frame.snapshot);
      break;
    case 'outcomes': {
      core.tasks.load(frame.items.map((item) => item.task_id));
      const items = frame.items.map(({ task_id, attempt, outcome, runtime_ms: runtimeMs }) => ({
        task_id,
        attempt,
        status: report(core, reporter, { task_id, attempt }, outcome, { runtimeMs }),
      }));
      core.effects.frames.push({ socket: session.socket, frame: { type: 'ack', items } });
      addCredits(session, frame.credits);
      break;
    }
    case 'adopt': {
      const lost = adopt(core, reporter, frame.group, frame.items);
      if (lost.length === 0) break;
      const items = lost.map((ref) => ({ ...ref, terminate: true }));
      core.effects.frames.push({ socket: session.socket, frame: { type: 'revoke', items } });
      break;
    }
    case 'goodbye':
      goodbye(core, session, frame.reason);
  }
}

function addCredits(session: WorkerSession, count: number): void {
  if (count > 0) session.isTold = false;
  session.credits = Math.min(session.credits + count, limits.maxCredits);
}

/** The worker takes credits back, for another shard or another edge; from now on it learns when tasks wait for it here. */
function withdraw(core: Core, session: WorkerSession, atMost: number): void {
  const count = Math.min(atMost, session.credits);
  session.credits -= count;
  session.watches = true;
  session.isTold = false;
  core.effects.frames.push({ socket: session.socket, frame: { type: 'withdrawn', count } });
}

function goodbye(core: Core, session: WorkerSession, reason: string): void {
  for (const lease of core.leases.of(session.worker.workerId)) {
    if (lease.group === null) endAttempt(core, lease, { type: 'released', reason });
  }
  leave(core, session, reason);
  core.effects.closes.push({ socket: session.socket, code: closeCodes.goodbye, reason: 'goodbye' });
}

/** A worker’s socket has closed. Its leases last on, for it may come back. */
export function leave(core: Core, session: WorkerSession, reason: string): void {
  const { workerId } = session.worker;
  if (core.sessions.byWorker(workerId) !== session) return;
  const seenMs = core.sessions.seenMs(session);
  for (const lease of core.leases.of(workerId)) {
    if (lease.isExact) continue;
    lease.isExact = true;
    lease.expiresMs = Math.max(lease.expiresMs, seenMs + core.config.leaseMs);
    core.leases.dirty.add(workerId);
    core.alarms.setBy('leases', lease.expiresMs);
  }
  core.sessions.close(session);
  core.workers.setOffline(session.worker, seenMs);
  core.alarms.setBy('retention', core.clock.now() + retentionPeriodMs(core));
  core.events.add({ type: 'worker-offline', owner: null, worker: workerId, data: { reason } });
}
