import { assignments, taskFrames } from './assignments.ts';
import { edgeWorker, type Core } from './core.ts';
import { give } from './give.ts';
import type { LaneKind } from './lanes.ts';
import type { WorkerSession } from './sessions.ts';
import { edgeTaker, sessionTaker, type Taker } from './takers.ts';

/** An alarm is a row: no more than one in that time for tasks that wait for a rate. */
const wakeSurelyMs = 5_000;

/** Gives waiting tasks to whoever waits for them: connected workers and, for light tasks, the stateless Worker. */
export function dispatch(core: Core): void {
  const takers = new Map<WorkerSession | 'edge', Taker>();
  const edgeRoom = core.config.edgeConcurrency - core.leases.countOf(edgeWorker.id);
  if (edgeRoom <= 0 && !core.sessions.anyRoom) return;
  const nowMs = core.clock.now();
  const silent = new Set<WorkerSession>();
  const takersOf = (kind: LaneKind): Taker[] => {
    const found: Taker[] = [];
    if (kind.edge && edgeRoom > 0) found.push(upsert(takers, 'edge', () => edgeTaker(core, edgeRoom)));
    for (const session of core.sessions.takers(kind)) {
      // A frozen tab would keep the task for a whole lease.
      if (core.sessions.isSilentSince(session, nowMs - core.config.leaseMs)) silent.add(session);
      else found.push(upsert(takers, session, () => sessionTaker(core, session)));
    }
    return found;
  };
  give(core, takersOf);
  // Should the object die before its timer wakes it, this does.
  if (core.effects.wakeInMs !== Infinity)
    core.alarms.setBy('due', nowMs + Math.max(core.effects.wakeInMs, wakeSurelyMs));
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

function upsert<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
