import type { TaskId } from '#protocol';
import { assignments, taskFrames } from './assignments.ts';
import { finishQueued, move, taskEvent } from './attempts.ts';
import { edgeWorker, type Core } from './core.ts';
import type { Lane } from './lanes.ts';
import type { Lease } from './leases.ts';
import { isBefore, type Position } from './ready-queue.ts';
import { nextCheckMs } from './schedule.ts';
import type { WorkerSession } from './sessions.ts';
import { expiredError } from './settle.ts';
import { edgeTaker, sessionTaker, type Taker } from './takers.ts';
import { visibleState, type TaskRecord } from './task-record.ts';

/** Gives waiting tasks to whoever waits for them: connected workers and, for light tasks, the stateless Worker. */
export function dispatch(core: Core): void {
  const takers = new Map<WorkerSession | 'edge', Taker>();
  const edgeRoom = core.config.edgeConcurrency - core.leases.countOf(edgeWorker.id);
  if (edgeRoom <= 0 && !core.sessions.anyRoom) return;
  const nowMs = core.clock.now();
  const silent = new Set<WorkerSession>();
  const takersOf = (lane: Lane): Taker[] => {
    const found: Taker[] = [];
    if (lane.edge && edgeRoom > 0) found.push(upsert(takers, 'edge', () => edgeTaker(core, edgeRoom)));
    for (const session of core.sessions.takers(lane)) {
      // A frozen tab would keep the task for a whole lease.
      if (core.sessions.seenMs(session) + core.config.leaseMs < nowMs) silent.add(session);
      else found.push(upsert(takers, session, () => sessionTaker(core, session)));
    }
    return found;
  };
  give(core, takersOf);
  // Its heartbeats don’t wake the object when it comes back to life, so somebody must look.
  if (silent.size > 0) core.alarms.setBy('leases', nowMs + core.config.heartbeatMs);
  for (const [who, taker] of takers) {
    if (taker.given.length === 0) continue;
    if (who === 'edge') {
      core.effects.edgeRuns.push(...assignments(core, taker));
    } else {
      who.credits = taker.room;
      core.effects.sessions.add(who);
      for (const frame of taskFrames(core, taker)) core.effects.frames.push({ socket: who.socket, frame });
    }
  }
}

interface Candidate {
  lane: Lane;
  head: Position;
  takers: Taker[];
  turn: number;
}

/** Hands tasks out in the order of their positions over all lanes, in turns among the takers of a lane. */
export function give(core: Core, takersOf: (lane: Lane) => Taker[]): void {
  for (;;) {
    const picks = pick(core, takersOf);
    if (picks.length === 0) return;
    core.tasks.load(picks.map(({ id }) => id));
    let refused = 0;
    for (const { id, taker } of picks) {
      const record = core.tasks.get(id);
      if (record === undefined || !isClaimable(core, record)) {
        taker.room++;
        refused++;
      } else {
        grant(core, record, taker);
      }
    }
    if (refused === 0) return;
  }
}

function pick(core: Core, takersOf: (lane: Lane) => Taker[]): { id: TaskId; taker: Taker }[] {
  const picks: { id: TaskId; taker: Taker }[] = [];
  const candidates: Candidate[] = [];
  for (const id of core.ready.lanes()) {
    const head = core.ready.peek(id);
    if (head === undefined) continue;
    const lane = core.lanes.get(id);
    const takers = takersOf(lane).filter((taker) => taker.room > 0);
    if (takers.length > 0) candidates.push({ lane, head, takers, turn: 0 });
  }
  for (;;) {
    const best = candidates.reduce<Candidate | undefined>(
      (first, next) => (first === undefined || isBefore(next.head, first.head) ? next : first),
      undefined,
    );
    if (best === undefined) return picks;
    const taker = nextTaker(best);
    if (taker === undefined) {
      candidates.splice(candidates.indexOf(best), 1);
      continue;
    }
    core.ready.shift(best.lane.id);
    taker.room--;
    picks.push({ id: best.head.id, taker });
    const head = core.ready.peek(best.lane.id);
    if (head === undefined) candidates.splice(candidates.indexOf(best), 1);
    else best.head = head;
  }
}

function nextTaker(candidate: Candidate): Taker | undefined {
  const [first] = candidate.takers;
  if (first?.isPreferred === true && first.room > 0) return first;
  while (candidate.takers.length > 0) {
    const index = candidate.turn % candidate.takers.length;
    const taker = candidate.takers[index];
    if (taker !== undefined && taker.room > 0) {
      candidate.turn = index + 1;
      return taker;
    }
    candidate.takers.splice(index, 1);
  }
  return undefined;
}

/** False for what is not waiting any more; what has expired meanwhile ends here. */
function isClaimable(core: Core, record: TaskRecord): boolean {
  const lease = core.leases.get(record.id);
  const state = visibleState(record, lease);
  if (lease !== undefined || record.dueMs !== null || (state !== 'PENDING' && state !== 'RETRY')) return false;
  if (state !== 'PENDING' || record.expiresMs === null || record.expiresMs > core.clock.now()) return true;
  move(core, record, undefined, 'expire');
  finishQueued(core, record, { error: expiredError });
  return false;
}

function grant(core: Core, record: TaskRecord, taker: Taker): void {
  const nowMs = core.clock.now();
  const lease: Lease = {
    taskId: record.id,
    attempt: record.attempt + 1,
    workerId: taker.workerId,
    lane: record.lane,
    sub: taker.sub,
    givenMs: nowMs,
    limitMs: record.spec.time_limit_ms,
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
  core.events.add(taskEvent(record, 'task-received', { worker: taker.workerId, data: { attempt: lease.attempt } }));
  if (taker.startsAtOnce) core.events.add(taskEvent(record, 'task-started', { worker: taker.workerId }));
}

function upsert<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
