import type { Outcome, Progress, TaskId, WorkerId } from '#protocol';
import type { TaskRecord } from './task-record.ts';

/** A worker’s right to run one attempt of a task. `attempt` is the fencing token. */
export interface Lease {
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly workerId: WorkerId;
  readonly lane: number;
  /** Whose token the worker has. */
  readonly sub: string;
  readonly givenMs: number;
  /** Hard time limit from the start on. */
  readonly limitMs: number;
  /** Null until the worker has begun. */
  startedMs: number | null;
  /** When it runs out, unless a heartbeat has come since. */
  expiresMs: number;
  /** False while heartbeats on a socket renew it, which writes nothing: then it may last longer than `expiresMs` tells. */
  isExact: boolean;
  /** The group of workers that keeps it durably: any of the same `sub` may report, and heartbeats don’t matter. */
  group: string | null;
  progress: Progress | null;
  /** Restarts of the edge that lengthened it since the worker was last heard of. */
  graces: number;
  /** Whether a snapshot of the task may be stored. Not kept: true when the lease was read from its row. */
  mayHaveSnapshot: boolean;
}

/** A lease on its way into and out of its worker’s row. */
export type StoredLease = [
  taskId: TaskId,
  attempt: number,
  givenMs: number,
  limitMs: number,
  startedMs: number | null,
  expiresMs: number,
  group: string | null,
  graces: number,
  progress: Progress | null,
  lane: number,
  isExact: boolean,
];

export interface LeaseTimes {
  readonly leaseMs: number;
  readonly hardLimitGraceMs: number;
}

/**
 * When a lease runs out: a full period after the worker was last heard of.
 * @param seenMs the worker’s last heartbeat on its socket; null without a socket.
 */
export function leaseEndMs(lease: Lease, seenMs: number | null, { leaseMs }: LeaseTimes): number {
  return lease.group !== null || seenMs === null ? lease.expiresMs : Math.max(lease.expiresMs, seenMs + leaseMs);
}

/** When the edge ends the attempt itself. An attempt that has not begun is bound by its lease alone. */
export function hardEndMs(lease: Lease, { hardLimitGraceMs }: LeaseTimes): number {
  return lease.startedMs === null ? Infinity : lease.startedMs + lease.limitMs + hardLimitGraceMs;
}

/** Restarts in a row that may lengthen a lease whose worker isn’t heard of: else one that restarts for ever would never notice the dead. */
const maxGraces = 5;

/**
 * After a restart of the edge a lease gets a full period, because its worker could not be heard. An object that is rebuilt while its
 * process lives on knows better: it lengthens only leases whose stored end is not the exact one, and each of those once.
 * @param isNewProcess whether this is the first time that this process builds the object.
 * @returns true when it was lengthened.
 */
export function grace(lease: Lease, isNewProcess: boolean, nowMs: number, { leaseMs }: LeaseTimes): boolean {
  if (lease.isExact && !isNewProcess) return false;
  if (lease.graces >= maxGraces || lease.expiresMs >= nowMs + leaseMs) return false;
  lease.expiresMs = nowMs + leaseMs;
  lease.graces++;
  // Nothing renews it in memory until its worker is back: rebuilt once more, the object knows when it ends.
  lease.isExact = true;
  return true;
}

/** The worker was heard of: a full period from now. */
export function renew(lease: Lease, nowMs: number, { leaseMs }: LeaseTimes): void {
  lease.graces = 0;
  if (lease.group === null) lease.expiresMs = Math.max(lease.expiresMs, nowMs + leaseMs);
}

/** Who says something about an attempt. Over HTTP only the token tells. */
export interface Reporter {
  readonly sub: string;
  readonly workerId: WorkerId | null;
}

/** True when the lease’s holder, or a member of the group that holds it, is speaking. */
export function isHolder(lease: Lease, attempt: number, { sub, workerId }: Reporter): boolean {
  return (
    lease.attempt === attempt &&
    lease.sub === sub &&
    (workerId === null || workerId === lease.workerId || lease.group !== null)
  );
}

export type Verdict =
  /** The attempt is the valid one. */
  | 'current'
  /** Its lease ran out, but nobody else was given the task. */
  | 'late'
  /** It was reported before. */
  | 'repeat'
  /** Somebody else has the task, or it is final. */
  | 'lost';

/**
 * What a report about an attempt is worth.
 * @param isAuthor whether the reporter is who had that past attempt.
 */
export function judge(
  record: TaskRecord | undefined,
  lease: Lease | undefined,
  attempt: number,
  outcome: Outcome['type'],
  reporter: Reporter,
  isAuthor: (worker: WorkerId) => boolean,
): Verdict {
  if (record === undefined) return 'lost';
  if (lease !== undefined && isHolder(lease, attempt, reporter)) return 'current';
  const past = record.history.find((entry) => entry.attempt === attempt);
  if (past === undefined || !isAuthor(past.worker)) return 'lost';
  if (past.outcome === outcome) return 'repeat';
  const mayBeLate = past.outcome === 'lost' || past.outcome === 'released';
  const isOpen = lease === undefined && record.attempt === attempt && record.finishedMs === null;
  return mayBeLate && isOpen && past.imposed !== true ? 'late' : 'lost';
}

/** Who holds what, by task and by worker. A worker’s leases are one row; those that have ended may stay in it. */
export class LeaseTable {
  readonly #byTask = new Map<TaskId, Lease>();
  readonly #byWorker = new Map<WorkerId, Map<TaskId, Lease>>();
  readonly #byLane = new Map<number, number>();
  /** Workers whose row must be written with this commit. */
  readonly dirty = new Set<WorkerId>();
  /** Workers whose row may be written later: what has changed is not worth a row of its own. */
  readonly stale = new Set<WorkerId>();
  /** Workers with leases that are not in their row yet: the log has them. */
  readonly logged = new Set<WorkerId>();
  /** The event up to which the rows tell everything. */
  checkpointSeq = 0;

  get size(): number {
    return this.#byTask.size;
  }

  get(id: TaskId): Lease | undefined {
    return this.#byTask.get(id);
  }

  of(worker: WorkerId): Lease[] {
    return [...(this.#byWorker.get(worker)?.values() ?? [])];
  }

  countOf(worker: WorkerId): number {
    return this.#byWorker.get(worker)?.size ?? 0;
  }

  countOfLane(lane: number): number {
    return this.#byLane.get(lane) ?? 0;
  }

  all(): IterableIterator<Lease> {
    return this.#byTask.values();
  }

  /** What is out on lease, as JSON, for statements that look for something else. */
  taskIds(): string {
    return JSON.stringify([...this.#byTask.keys()]);
  }

  workers(): IterableIterator<WorkerId> {
    return this.#byWorker.keys();
  }

  grant(lease: Lease): void {
    if (this.#byTask.has(lease.taskId)) throw new Error(`${lease.taskId} is already leased`);
    this.#put(lease);
    if (lease.isExact) this.dirty.add(lease.workerId);
    else this.logged.add(lease.workerId);
  }

  drop(lease: Lease): void {
    if (!this.#byTask.delete(lease.taskId)) return;
    this.#countLane(lease.lane, -1);
    const held = this.#byWorker.get(lease.workerId);
    held?.delete(lease.taskId);
    if (held?.size === 0) this.#byWorker.delete(lease.workerId);
  }

  /** The text of a worker’s row. */
  serialise(worker: WorkerId): string {
    const rows = this.of(worker).map((lease): StoredLease => [
      lease.taskId,
      lease.attempt,
      lease.givenMs,
      lease.limitMs,
      lease.startedMs,
      lease.expiresMs,
      lease.group,
      lease.graces,
      lease.progress,
      lease.lane,
      lease.isExact,
    ]);
    return JSON.stringify(rows);
  }

  /** Replaces everything by what is stored. */
  restore(leases: readonly Lease[], checkpointSeq: number): void {
    this.#byTask.clear();
    this.#byWorker.clear();
    this.#byLane.clear();
    this.dirty.clear();
    this.stale.clear();
    this.logged.clear();
    this.checkpointSeq = checkpointSeq;
    for (const lease of leases) this.#put(lease);
  }

  #countLane(lane: number, by: 1 | -1): void {
    const count = this.countOfLane(lane) + by;
    if (count === 0) this.#byLane.delete(lane);
    else this.#byLane.set(lane, count);
  }

  #put(lease: Lease): void {
    this.#byTask.set(lease.taskId, lease);
    this.#countLane(lease.lane, 1);
    let held = this.#byWorker.get(lease.workerId);
    if (held === undefined) this.#byWorker.set(lease.workerId, (held = new Map<TaskId, Lease>()));
    held.set(lease.taskId, lease);
  }
}

/** A lease out of its worker’s row. */
export function leaseOf(workerId: WorkerId, sub: string, stored: StoredLease): Lease {
  const [taskId, attempt, givenMs, limitMs, startedMs, expiresMs, group, graces, progress, lane, isExact] = stored;
  return {
    taskId,
    attempt,
    workerId,
    lane,
    sub,
    givenMs,
    limitMs,
    startedMs,
    expiresMs,
    isExact,
    group,
    progress,
    graces,
    mayHaveSnapshot: true,
  };
}

/** The leases in a worker’s row. Written by `serialise` alone, so that their form is known. */
export function storedLeases(held: string): StoredLease[] {
  const rows: unknown = JSON.parse(held);
  return rows as StoredLease[];
}
