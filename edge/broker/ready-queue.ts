import type { TaskId } from '#protocol';
import { LaneHead, type HeadLimits, type HeadSource, type Position } from './lane-head.ts';
import type { Lane, LaneKind } from './lanes.ts';
import { Rota, type Turn } from './rota.ts';

/** The stored queue behind the ready one. */
export interface ReadySource extends HeadSource {
  /** Lanes that have any ready task, each with the first, which may be out on lease. */
  heads(): { lane: number; head: Position }[];
  lane(id: number): Lane;
}

export interface ReadyLimits extends HeadLimits {
  /** Kept in memory over all lanes, about. */
  readonly maxTotalCount: number;
}

const defaults: ReadyLimits = { pageCount: 256, maxHeadCount: 2048, maxTotalCount: 65_536 };
/** Of a lane, however many there are. */
const minHeadCount = 8;

/** What can be given out, in its order: the heads of all lanes, and whose turn it is. A cache: `reset` it, and it is read from storage again. */
export class ReadyQueue {
  readonly #source: ReadySource;
  readonly #limits: ReadyLimits;
  #heads: Map<number, LaneHead> | null = null;
  #rota: Rota;

  constructor(source: ReadySource, limits: ReadyLimits = defaults) {
    this.#source = source;
    this.#limits = limits;
    this.#rota = this.#newRota();
  }

  reset(): void {
    this.#heads = null;
    this.#rota = this.#newRota();
  }

  /** A stored task has become ready. Call it after the row is written. */
  add(lane: number, position: { priority: number; id: TaskId }): void {
    const { priority, id } = position;
    const heads = this.#load();
    let head = heads.get(lane);
    if (head === undefined) heads.set(lane, (head = this.#newHead(lane, true)));
    head.add({ priority, id });
    this.#rota.put(this.#source.lane(lane), { priority, id });
  }

  /** A task is ready no more. What has not been read yet needs no removing: its row says so. */
  remove(lane: number, position: Position): void {
    this.#heads?.get(lane)?.remove(position);
  }

  kinds(): Iterable<LaneKind> {
    this.#load();
    return this.#rota.kinds();
  }

  /** Whose turn it is among lanes of these kinds. */
  next(kinds: Iterable<LaneKind>): Turn | undefined {
    this.#load();
    return this.#rota.next(kinds);
  }

  /** Takes the task whose turn it is. */
  take(turn: Turn): void {
    this.#heads?.get(turn.lane.id)?.remove(turn.head);
    this.#rota.served(turn);
  }

  /** The lane has no turn before `release`. */
  withhold(lane: Lane): void {
    this.#rota.withdraw(lane);
  }

  release(lane: Lane): void {
    if (this.#heads !== null) this.#rota.refresh(lane);
  }

  #load(): Map<number, LaneHead> {
    if (this.#heads !== null) return this.#heads;
    const stored = this.#source.heads();
    this.#heads = new Map(stored.map(({ lane }) => [lane, this.#newHead(lane, false)]));
    for (const { lane, head } of stored) this.#rota.put(this.#source.lane(lane), head);
    return this.#heads;
  }

  #newRota(): Rota {
    return new Rota((lane) => this.#heads?.get(lane)?.peek());
  }

  #newHead(lane: number, isComplete: boolean): LaneHead {
    return new LaneHead(lane, this.#source, () => this.#headLimits(), isComplete);
  }

  /** With many lanes each has a smaller head. */
  #headLimits(): HeadLimits {
    const { pageCount, maxHeadCount, maxTotalCount } = this.#limits;
    const share = Math.floor(maxTotalCount / Math.max(1, this.#heads?.size ?? 1));
    const most = Math.min(maxHeadCount, Math.max(minHeadCount, share));
    return { pageCount: Math.min(pageCount, most), maxHeadCount: most };
  }
}
