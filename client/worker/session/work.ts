import { limits, type Assignment, type AttemptRef, type Outcome, parseRate, type Rate } from '#protocol';
import type { AbortReason, ExecutionEvent } from '../execution/executor.ts';
import { Credits, type Room } from './credits.ts';
import { Holdings, type Held } from './holdings.ts';
import type { LinkId, SessionEffect, SessionOptions, SessionStats } from './messages.ts';
import { Pace } from './pace.ts';
import { RateLimiter } from './rate.ts';
import { Reports } from './reports.ts';
import { TaskLimits } from './task-limits.ts';

type Emit = (effect: SessionEffect) => void;

/** With so many ends to tell, the edge is told at once: it stores them while the next tasks are computed. */
const endsPerMessage = 50;

/**
 * What a worker has to do, does and has done: attempts, credits, outcomes. It knows links, which give tasks and hear of them, and nothing of
 * their connections. All links share its slots.
 */
export class Work {
  concurrency: number;
  readonly taskLimits = new TaskLimits();
  readonly #options: SessionOptions;
  readonly #emit: Emit;
  readonly #holdings = new Holdings();
  readonly #reports = new Map<LinkId, Reports>();
  readonly #credits = new Credits();
  readonly #rate = new RateLimiter();
  readonly #pace = new Pace();
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

  addLink(link: LinkId): void {
    this.#reports.set(link, new Reports());
  }

  /** @param maxHolding how many attempts the next `hello` may name; null for what edges took that did not say so */
  welcomed(link: LinkId, maxHolding: number | null): void {
    const reports = this.#reports.get(link);
    if (reports) reports.maxHolding = Math.min(maxHolding ?? limits.maxTasksPerFrame, limits.maxCredits);
  }

  /** The link is given up for good: what it gave is lost to this worker, and nobody is left to be told. */
  removeLink(link: LinkId): void {
    for (const held of this.#holdings.of(link)) this.#drop(held, 'lost');
    this.#credits.end(link);
    this.#reports.delete(link);
  }

  /** Nothing held, and nothing unconfirmed. */
  get isDone(): boolean {
    return this.#holdings.size === 0 && [...this.#reports.values()].every(({ isDone }) => isDone);
  }

  /** Whether `flush` would send something. @param online the links that are connected. */
  hasNews(online: readonly LinkId[]): boolean {
    return online.some((link) => this.#reports.get(link)?.hasNews) || this.#credits.needsMove(this.#room(online));
  }

  /** Whether so much is to be said that it is not kept until the end of the turn. */
  hasMuchNews(online: readonly LinkId[]): boolean {
    return online.some((link) => (this.#reports.get(link)?.unsaidEnds ?? 0) >= endsPerMessage);
  }

  setRate(rate: Rate | null): void {
    this.#rate.set(rate);
  }

  /** A task arrived. */
  receive(link: LinkId, assignment: Assignment): void {
    const reports = this.#reports.get(link);
    const ref: AttemptRef = { task_id: assignment.task_id, attempt: assignment.attempt };
    this.#credits.used(link);
    if (!reports || this.#holdings.get(ref) || reports.isOver(ref) || reports.isAdopted(ref)) return;
    if (this.#draining) {
      reports.answer(ref, { type: 'released', reason: 'the worker is leaving' });
      return;
    }
    const older = this.#holdings.otherAttempt(ref);
    if (older) this.#drop(older, 'lost');
    this.#holdings.add(link, assignment);
    this.#emit({ type: 'event', event: { type: 'assigned', assignment } });
  }

  /** The edge says that tasks wait for which this worker has given it no credits. */
  waiting(link: LinkId): void {
    this.#credits.waiting(link);
  }

  withdrawn(link: LinkId, count: number): void {
    this.#credits.withdrawn(link, count);
  }

  /** Begins what waits, as far as slots and the rate limit allow. */
  startNext(nowMs: number): void {
    if (this.#draining || !this.#holdings.isAnyWaiting) return;
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
      const assignment = this.taskLimits.bound(held.assignment);
      this.#emit({ type: 'execute', link: held.link, assignment, isBrief });
    }
    if (soonestMs < Infinity) this.#emit({ type: 'set_timer', link: null, name: 'rate', ms: soonestMs });
  }

  /** An executor tells something; of attempts that were dropped meanwhile, nothing is wanted any more. */
  heard(ref: AttemptRef, event: ExecutionEvent, nowMs: number): void {
    const held = this.#holdings.get(ref);
    if (!held) return;
    const { task } = held.assignment;
    switch (event.type) {
      case 'started':
        held.startedAtMs = nowMs;
        this.#reportsOf(held).say(held, { started: true });
        this.#emit({ type: 'event', event: { type: 'started', ref: held.ref, task } });
        return;
      case 'progress':
        this.#reportsOf(held).say(held, { progress: event.progress });
        this.#emit({ type: 'event', event: { type: 'progress', ref: held.ref, task, progress: event.progress } });
        return;
      case 'snapshot':
        this.#reportsOf(held).keepSnapshot(held.ref, event.snapshot);
        if (held.handBack) this.#release(held);
        return;
      case 'adopted':
        this.#holdings.remove(ref);
        this.#reportsOf(held).adopt(held, event.group);
        this.#emit({ type: 'event', event: { type: 'dropped', ref: held.ref, task, reason: 'adopted' } });
        return;
      case 'finished':
        this.#finish(held, event.outcome, event.runtimeMs);
        return;
    }
  }

  /** The edge says that an attempt is no longer this worker’s. */
  lost(link: LinkId, ref: AttemptRef): void {
    const held = this.#heldOf(link, ref);
    const reports = this.#reports.get(link);
    if (held) this.#drop(held, 'lost');
    else if (reports?.isOver(ref)) this.#acknowledge(reports, ref, 'lease_lost');
    else if (reports?.forgetAdopted(ref)) this.#emit({ type: 'abort', ref, reason: 'lost' });
  }

  /** Somebody revoked it. Without `terminate`, what already runs goes on, as in Celery. */
  revoke(link: LinkId, ref: AttemptRef, terminate: boolean): void {
    const held = this.#heldOf(link, ref);
    const reports = this.#reports.get(link);
    if (held && !held.running) this.#finish(held, { type: 'revoked' }, 0);
    else if (terminate && reports && !reports.isOver(ref)) {
      // Its group drops an adopted attempt without a word to the edge, so this worker answers for it.
      if (reports.forgetAdopted(ref)) reports.answer(ref, { type: 'revoked' });
      this.#emit({ type: 'abort', ref, reason: 'revoked' });
    }
  }

  acknowledged(link: LinkId, ref: AttemptRef, status: 'recorded' | 'lease_lost'): void {
    const reports = this.#reports.get(link);
    if (reports?.isOver(ref)) this.#acknowledge(reports, ref, status);
    else if (status === 'lease_lost') this.lost(link, ref);
  }

  /** Everything that the edge must not give to others when this worker comes back. */
  holding(link: LinkId): AttemptRef[] {
    const held = this.#holdings.of(link).map(({ ref }) => ref);
    const reports = this.#reports.get(link);
    return reports ? [...held, ...reports.refs()].slice(0, reports.maxHolding) : [];
  }

  /** All credits that are to be had, for `hello`: what an earlier connection was granted is void. */
  grantAfresh(link: LinkId): number {
    this.#credits.end(link);
    const { free, roomOf } = this.#room([]);
    const credits = Math.max(0, Math.min(free - this.#credits.granted, roomOf(link)));
    this.#credits.begin(link, credits);
    return credits;
  }

  /** What a lost connection may have taken with it will be said again over the next one. */
  connectionLost(link: LinkId): void {
    this.#credits.end(link);
    this.#reports.get(link)?.connectionLost(this.#holdings.of(link));
  }

  /** At each heartbeat: repeats outcomes without answer, and asks long runners for snapshots. */
  beat(link: LinkId, nowMs: number, heartbeatMs: number): void {
    this.#reports.get(link)?.repeatSentBefore(nowMs - heartbeatMs);
    const { snapshotEveryMs } = this.#options;
    if (snapshotEveryMs <= 0) return;
    for (const held of this.#holdings.of(link)) {
      if (held.startedAtMs === null || nowMs - held.snapshotAskedAtMs < snapshotEveryMs) continue;
      held.snapshotAskedAtMs = nowMs;
      this.#emit({ type: 'ask_snapshot', ref: held.ref });
    }
  }

  /** Sends to all that are connected what they have not been told, and moves credits among them. */
  flush(nowMs: number, online: readonly LinkId[]): void {
    const moves = this.#credits.move(this.#room(online));
    for (const link of online) {
      const { add = 0, withdraw = null } = moves.find((move) => move.link === link) ?? {};
      const frames = this.#reports.get(link)?.flush(nowMs, add) ?? [];
      for (const frame of frames) this.#emit({ type: 'send', link, frame });
      if (withdraw !== null) this.#emit({ type: 'send', link, frame: { type: 'withdraw', count: withdraw } });
    }
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
      unacknowledged: [...this.#reports.values()].reduce((sum, { unconfirmed }) => sum + unconfirmed, 0),
      succeeded: this.#succeeded,
      failed: this.#failed,
      busy_seconds: this.#busyMs / 1000,
    };
  }

  #heldOf(link: LinkId, ref: AttemptRef): Held | undefined {
    const held = this.#holdings.get(ref);
    return held?.link === link ? held : undefined;
  }

  #reportsOf({ link }: Held): Reports {
    const reports = this.#reports.get(link);
    if (!reports) throw new Error(`an attempt of ${link}, which is no link`);
    return reports;
  }

  #finish(held: Held, outcome: Outcome, runtimeMs: number): void {
    this.#holdings.remove(held.ref);
    this.#reportsOf(held).end(held, outcome, runtimeMs);
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
    this.#reportsOf(held).end(held, { type: 'released', reason: 'the worker is leaving' }, 0);
    const { task } = held.assignment;
    this.#emit({ type: 'event', event: { type: 'dropped', ref: held.ref, task, reason: 'handed_back' } });
  }

  #drop(held: Held, reason: AbortReason): void {
    this.#holdings.remove(held.ref);
    this.#reportsOf(held).drop(held);
    if (held.running) this.#emit({ type: 'abort', ref: held.ref, reason });
    const { task } = held.assignment;
    this.#emit({ type: 'event', event: { type: 'dropped', ref: held.ref, task, reason } });
  }

  #acknowledge(reports: Reports, ref: AttemptRef, status: 'recorded' | 'lease_lost'): void {
    reports.confirmed(ref);
    this.#emit({ type: 'event', event: { type: 'acknowledged', ref, status } });
  }

  /** Room for tasks. A link’s unconfirmed outcomes count only against what `hello.holding` can name. */
  #room(online: readonly LinkId[]): Room {
    const free = this.#draining ? 0 : this.concurrency * this.#options.prefetch - this.#holdings.size;
    return {
      links: online,
      free,
      roomOf: (link) => {
        const { maxHolding = 0, named = 0 } = this.#reports.get(link) ?? {};
        return maxHolding - this.#holdings.countOf(link) - named - this.#credits.grantedTo(link);
      },
      heldOf: (link) => this.#holdings.countOf(link),
      isShared: this.#reports.size > 1 && !this.#draining,
    };
  }
}
