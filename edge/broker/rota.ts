import { Heap } from '../lib/heap.ts';
import { isBefore, type Position } from './lane-head.ts';
import type { Lane, LaneKind } from './lanes.ts';

/** A lane that is to be served, and the task at its head. */
export interface Turn {
  readonly lane: Lane;
  readonly head: Position;
}

/** The lanes of one owner with tasks of one priority: the oldest task first. */
type OwnerLanes = Heap<Turn>;

/** One kind’s lanes with tasks of one priority, by owner: who was served longest ago is next. */
class Ring {
  readonly #lanes = new Map<string, OwnerLanes>();
  readonly #owners: Heap<{ owner: string; servedAt: number }>;
  readonly #servedAt: (owner: string) => number;

  constructor(servedAt: (owner: string) => number) {
    this.#servedAt = servedAt;
    this.#owners = new Heap((a, b) => a.servedAt < b.servedAt);
  }

  push(turn: Turn): void {
    const { owner } = turn.lane;
    let lanes = this.#lanes.get(owner);
    if (lanes === undefined) {
      lanes = new Heap<Turn>((a, b) => a.head.id < b.head.id);
      this.#lanes.set(owner, lanes);
      this.#owners.push({ owner, servedAt: this.#servedAt(owner) });
    }
    lanes.push(turn);
  }

  /** @param isCurrent false for a turn that has become another; it is dropped. */
  next(isCurrent: (turn: Turn) => boolean): Turn | undefined {
    for (let first = this.#owners.top(); first !== undefined; first = this.#owners.top()) {
      const { owner } = first;
      const lanes = this.#lanes.get(owner);
      const turn = firstThat(isCurrent, lanes);
      const servedAt = this.#servedAt(owner);
      if (turn !== undefined && servedAt === first.servedAt) return turn;
      this.#owners.pop();
      if (turn === undefined) this.#lanes.delete(owner);
      else this.#owners.push({ owner, servedAt });
    }
    return undefined;
  }
}

function firstThat(isCurrent: (turn: Turn) => boolean, lanes: OwnerLanes | undefined): Turn | undefined {
  for (let turn = lanes?.top(); turn !== undefined; turn = lanes?.top()) {
    if (isCurrent(turn)) return turn;
    lanes?.pop();
  }
  return undefined;
}

/** Owners whose last turn is remembered; forgetting it makes all equal. */
const maxOwners = 10_000;

/**
 * Whose turn it is among lanes that have tasks: the highest priority first, within it the owner who was served longest ago, of that owner
 * the task that was submitted first. So one owner’s hundred thousand tasks don’t keep another’s single one waiting. A turn costs the same
 * however many lanes there are.
 */
export class Rota {
  readonly #peek: (lane: number) => Position | undefined;
  /** By kind and priority. */
  readonly #rings = new Map<LaneKind, Ring[]>();
  /** Each lane’s one valid turn. */
  readonly #turns = new Map<number, Turn>();
  readonly #served = new Map<string, number>();
  #count = 0;

  /** @param peek the first task of a lane, as it is now. */
  constructor(peek: (lane: number) => Position | undefined) {
    this.#peek = peek;
  }

  /** Kinds that have, or lately had, tasks. */
  kinds(): IterableIterator<LaneKind> {
    return this.#rings.keys();
  }

  /** The lane’s head may be this, or it may have a better one already. */
  put(lane: Lane, head: Position): void {
    const present = this.#turns.get(lane.id);
    if (present !== undefined && !isBefore(head, present.head)) return;
    this.#push({ lane, head });
  }

  /** Whose turn it is among these kinds. */
  next(kinds: Iterable<LaneKind>): Turn | undefined {
    let best: Turn | undefined;
    for (const kind of kinds) {
      const turn = this.#nextOf(kind);
      if (turn !== undefined && (best === undefined || this.#isSooner(turn, best))) best = turn;
    }
    return best;
  }

  /** The turn was taken: its owner goes to the back, and the lane’s next task comes up. */
  served({ lane }: Turn): void {
    if (this.#served.size >= maxOwners) this.#served.clear();
    this.#served.set(lane.owner, ++this.#count);
    this.refresh(lane);
  }

  /** Looks at the lane’s head anew. */
  refresh(lane: Lane): void {
    const head = this.#peek(lane.id);
    this.#turns.delete(lane.id);
    if (head !== undefined) this.#push({ lane, head });
  }

  /** The lane must wait until it is refreshed. */
  withdraw(lane: Lane): void {
    this.#turns.delete(lane.id);
  }

  #push(turn: Turn): void {
    this.#turns.set(turn.lane.id, turn);
    const { kind } = turn.lane;
    let rings = this.#rings.get(kind);
    if (rings === undefined) this.#rings.set(kind, (rings = []));
    (rings[turn.head.priority] ??= new Ring((owner) => this.#servedAt(owner))).push(turn);
  }

  #nextOf(kind: LaneKind): Turn | undefined {
    const rings = this.#rings.get(kind) ?? [];
    for (let priority = rings.length - 1; priority >= 0; priority--) {
      const turn = rings[priority]?.next((one) => this.#isCurrent(one));
      if (turn !== undefined) return turn;
    }
    return undefined;
  }

  /** A turn whose task is no longer the lane’s first makes way for the one whose it is. */
  #isCurrent(turn: Turn): boolean {
    if (this.#turns.get(turn.lane.id) !== turn) return false;
    const head = this.#peek(turn.lane.id);
    if (head?.id === turn.head.id) return true;
    this.refresh(turn.lane);
    return false;
  }

  #isSooner(a: Turn, b: Turn): boolean {
    if (a.head.priority !== b.head.priority) return a.head.priority > b.head.priority;
    const [aAt, bAt] = [this.#servedAt(a.lane.owner), this.#servedAt(b.lane.owner)];
    return aAt === bAt ? a.head.id < b.head.id : aAt < bAt;
  }

  #servedAt(owner: string): number {
    return this.#served.get(owner) ?? 0;
  }
}
