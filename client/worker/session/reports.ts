import { limits, type AttemptRef, type Outcome, type Snapshot, type WorkerFrame } from '#protocol';
import { attemptKey } from '../execution/executor.ts';
import type { Held } from './holdings.ts';
import { Outbox } from './outbox.ts';

/** Adopted attempts that a worker still names in `hello`; the group’s Redis knows them all. */
const maxAdoptedRefs = 100;

/** What one link is to be told of its attempts. It outlives connections. */
export class Reports {
  /** How many attempts the link’s next `hello` may name. */
  maxHolding: number = limits.maxTasksPerFrame;
  readonly #outbox = new Outbox();
  readonly #adopted = new Map<string, { ref: AttemptRef; group: string }>();
  readonly #newlyAdopted = new Set<string>();
  /** The latest of each attempt that is not over, because a connection may die with it on the way. */
  readonly #snapshots = new Map<string, { ref: AttemptRef; snapshot: Snapshot; sent: boolean }>();
  readonly #unsaid = new Set<Held>();

  /** Outcomes that the edge has not confirmed. */
  get unconfirmed(): number {
    return this.#outbox.size;
  }

  /** Attempts that are to be named in `hello` beside those that are held. */
  get named(): number {
    return this.#outbox.size + this.#adopted.size;
  }

  get isDone(): boolean {
    return this.#outbox.size === 0 && this.#newlyAdopted.size === 0;
  }

  get hasNews(): boolean {
    if (this.#newlyAdopted.size > 0 || this.#outbox.unsentCount > 0 || this.#unsaid.size > 0) return true;
    for (const { sent } of this.#snapshots.values()) if (!sent) return true;
    return false;
  }

  /** Ends of attempts that have not been said. */
  get unsaidEnds(): number {
    return this.#outbox.unsentCount;
  }

  isOver(ref: AttemptRef): boolean {
    return this.#outbox.has(ref);
  }

  isAdopted(ref: AttemptRef): boolean {
    return this.#adopted.has(attemptKey(ref));
  }

  refs(): AttemptRef[] {
    return [...this.#outbox.refs(), ...[...this.#adopted.values()].map(({ ref }) => ref)];
  }

  /** Something of it is to be told with the next flush. */
  say(held: Held, news: Partial<Held['unsaid']>): void {
    Object.assign(held.unsaid, news);
    this.#unsaid.add(held);
  }

  keepSnapshot(ref: AttemptRef, snapshot: Snapshot): void {
    this.#snapshots.set(attemptKey(ref), { ref, snapshot, sent: false });
  }

  /** The attempt is over, and this is how. Of what is tried again or continued elsewhere the snapshot travels ahead of the outcome. */
  end(held: Held, outcome: Outcome, runtimeMs: number): void {
    this.#unsaid.delete(held);
    const goesOn = outcome.type === 'released' || (outcome.type === 'failure' && outcome.retryable);
    if (!goesOn) this.#snapshots.delete(attemptKey(held.ref));
    this.#outbox.put(held.ref, outcome, runtimeMs);
  }

  /** An attempt that is not held is answered for. */
  answer(ref: AttemptRef, outcome: Outcome): void {
    this.#outbox.put(ref, outcome, 0);
  }

  /** Nothing more is to be said of it. */
  drop(held: Held): void {
    this.#unsaid.delete(held);
    this.#snapshots.delete(attemptKey(held.ref));
  }

  /** The answer came, or the attempt is known to be lost. */
  confirmed(ref: AttemptRef): void {
    this.#outbox.forget(ref);
    this.#snapshots.delete(attemptKey(ref));
  }

  adopt(held: Held, group: string): void {
    const key = attemptKey(held.ref);
    this.drop(held);
    this.#adopted.set(key, { ref: held.ref, group });
    this.#newlyAdopted.add(key);
    for (const oldest of this.#adopted.keys()) {
      if (this.#adopted.size <= maxAdoptedRefs) break;
      if (!this.#newlyAdopted.has(oldest)) this.#adopted.delete(oldest);
    }
  }

  forgetAdopted(ref: AttemptRef): boolean {
    return this.#adopted.delete(attemptKey(ref));
  }

  /** What a lost connection may have taken with it will be said again over the next one. */
  connectionLost(held: readonly Held[]): void {
    this.#outbox.reconnected();
    for (const entry of this.#snapshots.values()) entry.sent = false;
    for (const one of held) if (one.startedAtMs !== null) this.say(one, { started: true });
    for (const key of this.#adopted.keys()) this.#newlyAdopted.add(key);
  }

  /** Says again, over the same connection, what was sent before `beforeMs` and not answered. */
  repeatSentBefore(beforeMs: number): void {
    this.#outbox.repeatSentBefore(beforeMs);
  }

  /** All that is unsaid, in an order that the edge can follow: begun, progress, snapshots, adoptions, ends; new credits ride with the ends. */
  flush(nowMs: number, credits: number): WorkerFrame[] {
    const frames: WorkerFrame[] = [];
    if (this.#unsaid.size > 0) frames.push(...this.#news());
    if (this.#snapshots.size > 0) frames.push(...this.#newSnapshots());
    if (this.#newlyAdopted.size > 0) frames.push(...this.#adoptions());
    let unsaidCredits = credits;
    for (const items of this.#outbox.takeUnsent(nowMs)) {
      frames.push({ type: 'outcomes', items, credits: unsaidCredits });
      unsaidCredits = 0;
    }
    if (unsaidCredits > 0) frames.push({ type: 'credits', add: unsaidCredits });
    return frames;
  }

  #news(): WorkerFrame[] {
    const news = [...this.#unsaid].map(({ ref, unsaid }) => ({ ref, ...unsaid }));
    for (const held of this.#unsaid) Object.assign(held.unsaid, { started: false, progress: null });
    this.#unsaid.clear();
    const started = news.filter((one) => one.started).map(({ ref }) => ref);
    const progress = news.flatMap(({ ref, progress }) => (progress === null ? [] : { ...ref, progress }));
    return [
      ...batches(started).map((items): WorkerFrame => ({ type: 'started', items })),
      ...batches(progress).map((items): WorkerFrame => ({ type: 'progress', items })),
    ];
  }

  #newSnapshots(): WorkerFrame[] {
    const entries = [...this.#snapshots.values()].filter(({ sent }) => !sent);
    for (const entry of entries) entry.sent = true;
    return entries.map(({ ref, snapshot }) => ({ type: 'snapshot', ...ref, snapshot }));
  }

  #adoptions(): WorkerFrame[] {
    const groups = new Map<string, AttemptRef[]>();
    for (const key of this.#newlyAdopted) {
      const adopted = this.#adopted.get(key);
      if (adopted) groups.set(adopted.group, [...(groups.get(adopted.group) ?? []), adopted.ref]);
    }
    this.#newlyAdopted.clear();
    return [...groups].flatMap(([group, refs]) =>
      batches(refs).map((items): WorkerFrame => ({ type: 'adopt', group, items })),
    );
  }
}

function batches<T>(items: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let from = 0; from < items.length; from += limits.maxTasksPerFrame) {
    result.push(items.slice(from, from + limits.maxTasksPerFrame));
  }
  return result;
}
