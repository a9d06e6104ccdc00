import type { Core } from './core.ts';
import { serves, type LaneKind } from './lanes.ts';

/**
 * Tells workers that share their slots among shards that tasks wait here which they could take if they gave credits. Each is told once, until
 * it does. Costs nothing where no such worker is without credits.
 */
export function tellWhoCouldTake(core: Core): void {
  let kinds: LaneKind[] | null = null;
  for (const session of core.sessions.all()) {
    if (!session.watches || session.isTold || session.credits > 0) continue;
    kinds ??= waitingKinds(core);
    if (!kinds.some((kind) => serves(session.profile, kind))) continue;
    session.isTold = true;
    core.effects.frames.push({ socket: session.socket, frame: { type: 'waiting' } });
  }
}

/** Kinds of which a task could be given out now. For those that wait for their rate, somebody looks again when it allows. */
function waitingKinds(core: Core): LaneKind[] {
  const nowMs = core.clock.now();
  return [...core.ready.kinds()].filter((kind) => {
    if (core.gate.isPaused(kind) || core.ready.next([kind]) === undefined) return false;
    const waitMs = core.gate.waitMs(kind, nowMs);
    if (waitMs === 0 || waitMs === Infinity) return true;
    core.effects.wakeInMs = Math.min(core.effects.wakeInMs, waitMs);
    return false;
  });
}
