import { limits, type Assignment, type AttemptRef, type Outcome, type Snapshot } from '#protocol';
import { attemptKey, type AbortReason, type ExecutionEvent } from '../execution/executor.ts';
import { Holdings, type Held } from './holdings.ts';
import type { SessionEffect, SessionOptions, SessionStats } from './messages.ts';
import { Outbox } from './outbox.ts';
import { Pace } from './pace.ts';
import { parseRate, RateLimiter, type Rate } from './rate.ts';
import { TaskLimits } from './task-limits.ts';

/** Adopted attempts that a worker still names in `hello`; the group’s Redis knows them all. */
const maxAdoptedRefs = 100;

type Emit = (effect: SessionEffect) => void;

/** What a worker has to do, does and has done: attempts, credits, outcomes. Knows nothing of connections. */
export class Work {
  concurrency: number;
  readonly taskLimits = new TaskLimits();
  readonly #options: SessionOptions;
  readonly #emit: Emit;
  readonly #holdings = new Holdings();
  readonly #outbox = new Outbox();
  readonly #adopted = new Map<string, { ref: AttemptRef; group: string }>();
  readonly #newlyAdopted = new Set<string>();
  /** The latest of each attempt that is not over, because a connection may die with it on the way. */
  readonly #snapshots = new Map<string, { ref: AttemptRef; snapshot: Snapshot; sent: boolean }>();
  readonly #rate = new RateLimiter();
  readonly #pace = new Pace();
  /** Credits that the edge has and has not used. */
  #granted = 0;
  #draining = false;
  #succeeded = 0;
  #failed = 0;
  #busyMs = 0;

  constructor(options: SessionOptions, emit: Emit) {
    this.#options = options;
    this.#emit = emit;
    this.concurrency = options.concurrency;
    if (options.rateLimit !== null) this.#rate.set(parseRate(options.rateLimit));
  }

  /** Nothing held, and nothing unconfirmed. */
  get isDone(): boolean {
    return this.#holdings.size === 0 && this.#outbox.size === 0 && this.#newlyAdopted.size === 0;
  }

  /** Whether `flush` would send something. */
  get hasNews(): boolean {
    if (this.#newlyAdopted.size > 0 || this.#outbox.hasUnsent || this.#room() > 0) return true;
    if (this.#holdings.hasUnsaid) return true;
    for (const { sent } of this.#snapshots.values()) if (!sent) return true;
    return false;
  }

  setRate(rate: Rate | null): void {
    this.#rate.set(rate);
  }

  /** A task arrived. */
  receive(assignment: Assignment): void {
    const ref: AttemptRef = { task_id: assignment.task_id, attempt: assignment.attempt };
    this.#granted = Math.max(0, this.#granted - 1);
    if (this.#holdings.get(ref) || this.#outbox.has(ref) || this.#adopted.has(attemptKey(ref))) return;
    if (this.#draining) {
      this.#outbox.put(ref, { type: 'released', reason: 'the worker is leaving' }, 0);
      return;
    }
    const older = this.#holdings.otherAttempt(ref);
    if (older) this.#drop(older, 'lost');
    this.#holdings.add(assignment);
    this.#emit({ type: 'event', event: { type: 'assigned', assignment } });
  }

  /** Begins what waits, as far as slots and the rate limit allow. */
  startNext(nowMs: number): void {
    if (this.#draining) return;
    let soonestMs = Infinity;
    for (const held of this.#holdings.waiting()) {
      const { task } = held.assignment;
      const isBrief = this.#pace.isBrief(task);
      const ahead = isBrief ? this.#options.briefTasksAhead : 0;
      if (this.#holdings.runningCount >= this.concurrency * (1 + ahead)) break;
      const ownWaitMs = this.taskLimits.waitMs(task, nowMs);
      if (ownWaitMs > 0) {
        // Others may go ahead of a type that has to wait.
        soonestMs = Math.min(soonestMs, ownWaitMs);
        continue;
      }
      const waitMs = this.#rate.take(nowMs);
      if (waitMs > 0) {
        soonestMs = Math.min(soonestMs, waitMs);
        break;
      }
      this.taskLimits.began(task, nowMs);
      this.#holdings.run(held);
      held.snapshotAskedAtMs = nowMs;
      this.#emit({ type: 'execute', assignment: this.taskLimits.bound(held.assignment), isBrief });
    }
    if (soonestMs < Infinity) this.#emit({ type: 'set_timer', name: 'rate', ms: soonestMs });
  }

  /** An executor tells something; of attempts that were dropped meanwhile, nothing is wanted any more. */
  heard(ref: AttemptRef, event: ExecutionEvent, nowMs: number): void {
    const held = this.#holdings.get(ref);
    if (!held) return;
    const { task } = held.assignment;
    switch (event.type) {
      case 'started':
        held.startedAtMs = nowMs;
        this.#holdings.say(held, { started: true });
        this.#emit({ type: 'event', event: { type: 'started', ref: held.ref, task } });
        return;
      case 'progress':
        this.#holdings.say(held, { progress: event.progress });
        this.#emit({
          type: 'event',
          event: { type: 'progress', ref: held.ref, task, progress: event.progress },
        });
        return;
      case 'snapshot':
        this.#snapshots.set(attemptKey(ref), { ref: held.ref, snapshot: event.snapshot, sent: false });
        if (held.handBack) this.#release(held);
        return;
      case 'adopted':
        this.#holdings.remove(ref);
        this.#snapshots.delete(attemptKey(ref));
        this.#adopt(held.ref, event.group);
        this.#emit({ type: 'event', event: { type: 'dropped', ref: held.ref, task, reason: 'adopted' } });
        return;
      case 'finished':
        this.#finish(held, event.outcome, event.runtimeMs);
        return;
    }
  }

  /** The edge says that an attempt is no longer this worker’s. */
  lost(ref: AttemptRef): void {
    const held = this.#holdings.get(ref);
    if (held) this.#drop(held, 'lost');
    else if (this.#outbox.has(ref)) this.#acknowledge(ref, 'lease_lost');
    else if (this.#adopted.delete(attemptKey(ref))) this.#emit({ type: 'abort', ref, reason: 'lost' });
  }

  /** Somebody revoked it. Without `terminate`, what already runs goes on, as in Celery. */
  revoke(ref: AttemptRef, terminate: boolean): void {
    const held = this.#holdings.get(ref);
    if (held && !held.running) this.#finish(held, { type: 'revoked' }, 0);
    else if (terminate && !this.#outbox.has(ref)) {
      // Its group drops an adopted attempt without a word to the edge, so this worker answers for it.
      if (this.#adopted.delete(attemptKey(ref))) this.#outbox.put(ref, { type: 'revoked' }, 0);
      this.#emit({ type: 'abort', ref, reason: 'revoked' });
    }
  }

  acknowledged(ref: AttemptRef, status: 'recorded' | 'lease_lost'): void {
    if (this.#outbox.has(ref)) this.#acknowledge(ref, status);
    else if (status === 'lease_lost') this.lost(ref);
  }

  /** Everything that the edge must not give to others when this worker comes back. */
  holding(): AttemptRef[] {
    const adopted = [...this.#adopted.values()].map(({ ref }) => ref);
    const refs = [...this.#holdings.all().map(({ ref }) => ref), ...this.#outbox.refs(), ...adopted];
    return refs.slice(0, limits.maxTasksPerFrame);
  }

  /** All credits anew, for `hello`: what an earlier connection was granted is void. */
  grantAfresh(): number {
    this.#granted = 0;
    return this.#grant();
  }

  /** What a lost connection may have taken with it will be said again over the next one. */
  connectionLost(): void {
    this.#outbox.reconnected();
    for (const entry of this.#snapshots.values()) entry.sent = false;
    for (const held of this.#holdings.all()) {
      if (held.startedAtMs !== null) this.#holdings.say(held, { started: true });
    }
    for (const key of this.#adopted.keys()) this.#newlyAdopted.add(key);
  }

  /** At each heartbeat: repeats outcomes without answer, and asks long runners for snapshots. */
  beat(nowMs: number, heartbeatMs: number): void {
    this.#outbox.repeatSentBefore(nowMs - heartbeatMs);
    const { snapshotEveryMs } = this.#options;
    if (snapshotEveryMs <= 0) return;
    for (const held of this.#holdings.all()) {
      if (held.startedAtMs === null || nowMs - held.snapshotAskedAtMs < snapshotEveryMs) continue;
      held.snapshotAskedAtMs = nowMs;
      this.#emit({ type: 'ask_snapshot', ref: held.ref });
    }
  }

  /** Sends all that is unsaid, in an order that the edge can follow: begun, progress, snapshots, adoptions, ends. */
  flush(nowMs: number): void {
    const news = this.#holdings.takeUnsaid();
    for (const items of batches(news.filter(({ started }) => started))) {
      this.#emit({ type: 'send', frame: { type: 'started', items: items.map(({ ref }) => ref) } });
    }
    for (const items of batches(news.flatMap(({ ref, progress }) => (progress === null ? [] : { ...ref, progress })))) {
      this.#emit({ type: 'send', frame: { type: 'progress', items } });
    }
    for (const entry of this.#snapshots.values()) {
      if (entry.sent) continue;
      entry.sent = true;
      this.#emit({ type: 'send', frame: { type: 'snapshot', ...entry.ref, snapshot: entry.snapshot } });
    }
    this.#sendAdoptions();
    let credits = this.#grant();
    for (const items of this.#outbox.takeUnsent(nowMs)) {
      this.#emit({ type: 'send', frame: { type: 'outcomes', items, credits } });
      credits = 0;
    }
    if (credits > 0) this.#emit({ type: 'send', frame: { type: 'credits', add: credits } });
  }

  /** Takes nothing new; gives back what waits, and what runs as soon as there is a snapshot of it. */
  drain(): void {
    this.#draining = true;
    for (const held of this.#holdings.all()) {
      if (!held.running) {
        this.#release(held);
        continue;
      }
      held.handBack = true;
      this.#emit({ type: 'ask_snapshot', ref: held.ref });
    }
  }

  /** Stops all that runs: `goodbye`, or the end of the leases, gives it to others. */
  abandon(): void {
    this.#draining = true;
    for (const held of this.#holdings.all()) this.#drop(held, 'left');
  }

  figures(): Pick<SessionStats, 'active' | 'unacknowledged' | 'succeeded' | 'failed' | 'busy_seconds'> {
    return {
      active: this.#holdings.all().map(({ ref, assignment, running }) => ({ ...ref, task: assignment.task, running })),
      unacknowledged: this.#outbox.size,
      succeeded: this.#succeeded,
      failed: this.#failed,
      busy_seconds: this.#busyMs / 1000,
    };
  }

  #finish(held: Held, outcome: Outcome, runtimeMs: number): void {
    this.#holdings.remove(held.ref);
    // Of what is tried again the snapshot travels ahead of the outcome.
    if (outcome.type !== 'failure' || !outcome.retryable) this.#snapshots.delete(attemptKey(held.ref));
    this.#outbox.put(held.ref, outcome, runtimeMs);
    this.#busyMs += runtimeMs;
    if (outcome.type === 'success') this.#pace.measured(held.assignment.task, runtimeMs);
    if (outcome.type === 'success') this.#succeeded++;
    if (outcome.type === 'failure') this.#failed++;
    const { task } = held.assignment;
    this.#emit({ type: 'event', event: { type: 'finished', ref: held.ref, task, outcome, runtimeMs } });
  }

  /** Gives an attempt back; the snapshot that came with it travels ahead of the outcome. */
  #release(held: Held): void {
    if (held.running) this.#emit({ type: 'abort', ref: held.ref, reason: 'handed_back' });
    this.#holdings.remove(held.ref);
    this.#outbox.put(held.ref, { type: 'released', reason: 'the worker is leaving' }, 0);
    const { task } = held.assignment;
    this.#emit({ type: 'event', event: { type: 'dropped', ref: held.ref, task, reason: 'handed_back' } });
  }

  #drop(held: Held, reason: AbortReason): void {
    this.#holdings.remove(held.ref);
    this.#snapshots.delete(attemptKey(held.ref));
    if (held.running) this.#emit({ type: 'abort', ref: held.ref, reason });
    const { task } = held.assignment;
    this.#emit({ type: 'event', event: { type: 'dropped', ref: held.ref, task, reason } });
  }

  #adopt(ref: AttemptRef, group: string): void {
    const key = attemptKey(ref);
    this.#adopted.set(key, { ref, group });
    this.#newlyAdopted.add(key);
    for (const oldest of this.#adopted.keys()) {
      if (this.#adopted.size <= maxAdoptedRefs) break;
      if (!this.#newlyAdopted.has(oldest)) this.#adopted.delete(oldest);
    }
  }

  #sendAdoptions(): void {
    const groups = new Map<string, AttemptRef[]>();
    for (const key of this.#newlyAdopted) {
      const adopted = this.#adopted.get(key);
      if (adopted) groups.set(adopted.group, [...(groups.get(adopted.group) ?? []), adopted.ref]);
    }
    this.#newlyAdopted.clear();
    for (const [group, refs] of groups) {
      for (const items of batches(refs)) this.#emit({ type: 'send', frame: { type: 'adopt', group, items } });
    }
  }

  #acknowledge(ref: AttemptRef, status: 'recorded' | 'lease_lost'): void {
    this.#outbox.forget(ref);
    this.#snapshots.delete(attemptKey(ref));
    this.#emit({ type: 'event', event: { type: 'acknowledged', ref, status } });
  }

  /** Room that the edge does not know of yet. Unconfirmed outcomes count only against what `hello.holding` can name. */
  #room(): number {
    if (this.#draining) return 0;
    const held = this.#holdings.size;
    const capacity = this.concurrency * this.#options.prefetch - held;
    const nameable = limits.maxTasksPerFrame - held - this.#outbox.size - this.#adopted.size;
    return Math.max(0, Math.min(capacity, nameable) - this.#granted);
  }

  #grant(): number {
    const add = this.#room();
    this.#granted += add;
    return add;
  }
}

function batches<T>(items: readonly T[]): T[][] {
  const result: T[][] = [];
  for (let from = 0; from < items.length; from += limits.maxTasksPerFrame) {
    result.push(items.slice(from, from + limits.maxTasksPerFrame));
  }
  return result;
}
