import { finishQueued, move } from './attempts.ts';
import type { Core } from './core.ts';
import { isFull, releaseSharing } from './flow/concurrency.ts';
import { grantLease } from './grant.ts';
import type { Lane, LaneKind } from './lanes.ts';
import { expiredError } from './settle.ts';
import type { Taker } from './takers.ts';
import { visibleState, type TaskRecord } from './task-record.ts';
import type { Turn } from './rota.ts';

interface Pick {
  readonly turn: Turn;
  readonly taker: Taker;
}

/** Hands tasks out, each when it is its turn, in turns among the takers of its kind. Kinds and lanes that must wait hold up no others. */
export function give(core: Core, takersOf: (kind: LaneKind) => Taker[]): void {
  for (;;) {
    const picks = pick(core, takersOf);
    core.tasks.load(picks.map(({ turn }) => turn.head.id));
    let refused = 0;
    for (const { turn, taker } of picks) {
      const record = core.tasks.get(turn.head.id);
      if (record !== undefined && isClaimable(core, record)) {
        grantLease(core, record, taker);
        continue;
      }
      taker.room++;
      core.gate.giveBack(turn.lane.kind);
      releaseSharing(core, turn.lane);
      refused++;
    }
    if (refused === 0) break;
  }
  core.allowance.expire();
}

function pick(core: Core, takersOf: (kind: LaneKind) => Taker[]): Pick[] {
  const nowMs = core.clock.now();
  const open = new Map<LaneKind, TakerRing>();
  for (const kind of core.ready.kinds()) {
    if (core.gate.isPaused(kind)) continue;
    const takers = takersOf(kind).filter((taker) => taker.room > 0);
    if (takers.length > 0) open.set(kind, new TakerRing(takers));
  }
  const picks: Pick[] = [];
  /** By lane that shares a limit: what this round gives out already. */
  const planned = new Map<readonly Lane[], number>();
  for (let turn = core.ready.next(open.keys()); turn !== undefined; turn = core.ready.next(open.keys())) {
    const { lane } = turn;
    const takers = open.get(lane.kind);
    const taker = takers?.next();
    if (takers === undefined || taker === undefined) {
      open.delete(lane.kind);
      continue;
    }
    const waitMs = core.gate.waitMs(lane.kind, nowMs);
    if (waitMs > 0) {
      open.delete(lane.kind);
      if (waitMs === Infinity) core.gate.wish(lane.kind, takers.room);
      else core.effects.wakeInMs = Math.min(core.effects.wakeInMs, waitMs);
      continue;
    }
    const sharing = core.lanes.sharing(lane);
    const plannedCount = planned.get(sharing) ?? 0;
    if (isFull(core, lane, plannedCount)) {
      core.ready.withhold(lane);
      continue;
    }
    if (lane.concurrency !== null) planned.set(sharing, plannedCount + 1);
    core.ready.take(turn);
    core.gate.take(lane.kind, nowMs);
    takers.take(taker);
    picks.push({ turn, taker });
  }
  return picks;
}

/** The takers of one kind, in turns. */
class TakerRing {
  readonly #takers: Taker[];
  #turn = 0;

  constructor(takers: Taker[]) {
    this.#takers = takers;
  }

  get room(): number {
    return this.#takers.reduce((sum, taker) => sum + taker.room, 0);
  }

  next(): Taker | undefined {
    const [first] = this.#takers;
    if (first?.isPreferred === true && first.room > 0) return first;
    while (this.#takers.length > 0) {
      const index = this.#turn % this.#takers.length;
      const taker = this.#takers[index];
      if (taker !== undefined && taker.room > 0) return taker;
      this.#takers.splice(index, 1);
    }
    return undefined;
  }

  take(taker: Taker): void {
    taker.room--;
    if (!taker.isPreferred) this.#turn++;
  }
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
