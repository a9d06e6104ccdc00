import {
  isoTime,
  isAdmin,
  type CampaignId,
  type EventType,
  type GridEvent,
  type Json,
  type Principal,
  type TaskId,
  type WorkerId,
  type WorkflowId,
} from '#protocol';
import type { Clock } from '../lib/clock.ts';
import { omit } from '../lib/omit.ts';
import type { Database } from '../lib/sql.ts';
import { EventRow, eventsOf } from './event-row.ts';

/** An event as the broker tells it; time and number come with the commit. */
export interface NewEvent {
  type: EventType;
  /** Who may see it; null for what concerns the fleet: everybody. */
  owner: string | null;
  task_id?: TaskId;
  task?: string;
  /** The task’s, whose queue the log names. */
  lane?: number;
  labels?: readonly string[];
  worker?: WorkerId;
  campaign_id?: CampaignId;
  workflow_id?: WorkflowId;
  data?: Json;
  time_ms?: number;
}

/** An event as it is stored. */
export interface StoredEvent extends GridEvent {
  owner: string | null;
}

/** What narrows events; what is absent does not. */
export interface EventQuery {
  task_id?: TaskId;
  campaign_id?: CampaignId;
  workflow_id?: WorkflowId;
  worker?: string;
  queue?: string;
  label?: string;
  types?: readonly EventType[];
}

/** What a listener wants to hear, and may. */
export interface EventFilter {
  readonly sub: string;
  readonly isAdmin: boolean;
  readonly query: EventQuery;
}

export function filterFor(principal: Principal, query: EventQuery): EventFilter {
  return { sub: principal.sub, isAdmin: isAdmin(principal), query };
}

export function matches({ sub, isAdmin: seesAll, query }: EventFilter, event: StoredEvent): boolean {
  return (
    (seesAll || event.owner === null || event.owner === sub) &&
    (query.types === undefined || query.types.includes(event.type)) &&
    (query.label === undefined || (event.labels?.includes(query.label) ?? false)) &&
    singleMembers.every((name) => query[name] === undefined || query[name] === event[name])
  );
}

const singleMembers = ['task_id', 'campaign_id', 'workflow_id', 'worker', 'queue'] as const;

/** An event as the world sees it: where it is in the log, and without what only the broker needs. */
export function published(event: StoredEvent, shard: number): GridEvent {
  const { seq, ...rest } = omit(event, 'owner');
  return { seq, shard, ...rest };
}

/**
 * The event log: numbered without holes, packed many to a row, one row written per commit. Events gather during a commit and are written
 * by `flush`.
 */
export class EventLog {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #queueOf: (lane: number) => string;
  #gathered: NewEvent[] = [];
  #nextSeq = 1;
  /** The newest row, if it takes further events. */
  #open: EventRow | null = null;
  #newestRowSeq = 0;

  constructor(database: Database, clock: Clock, queueOf: (lane: number) => string) {
    this.#database = database;
    this.#clock = clock;
    this.#queueOf = queueOf;
    this.reload();
  }

  /** Forgets what was gathered and reads the newest row. */
  reload(): void {
    this.#gathered = [];
    const row = this.#database.maybe<{ first_seq: number; count: number; items: string }>(
      'SELECT first_seq, count, items FROM events ORDER BY first_seq DESC LIMIT 1',
    );
    this.#open = row === undefined ? null : EventRow.of(row.first_seq, row.items);
    this.#newestRowSeq = row?.first_seq ?? 0;
    this.#nextSeq = row === undefined ? 1 : row.first_seq + row.count;
  }

  /** The number of the newest event; 0 before the first. */
  get seq(): number {
    return this.#nextSeq - 1;
  }

  add(event: NewEvent): void {
    this.#gathered.push(event);
  }

  /** Numbers and writes what was gathered. @returns it, for the listeners. */
  flush(): StoredEvent[] {
    if (this.#gathered.length === 0) return [];
    const nowMs = this.#clock.now();
    let changed = false;
    const events = this.#gathered.map((fresh) => {
      const timeMs = fresh.time_ms ?? nowMs;
      const event = this.#numbered(fresh, timeMs);
      if (this.#open?.add(event, timeMs) !== true) {
        if (changed) this.#write(nowMs);
        this.#open = new EventRow(event.seq);
        this.#newestRowSeq = event.seq;
        this.#open.add(event, timeMs);
      }
      changed = true;
      return event;
    });
    this.#gathered = [];
    this.#write(nowMs);
    return events;
  }

  /** All members in one literal, of which JSON leaves out what is undefined: events are many, and copying objects takes its time. */
  #numbered(event: NewEvent, timeMs: number): StoredEvent {
    const { type, owner, task_id, task, labels, worker, campaign_id, workflow_id, data, lane } = event;
    const time = isoTime(timeMs);
    const queue = lane === undefined ? undefined : this.#queueOf(lane);
    const seq = this.#nextSeq++;
    const stored = { seq, type, time, owner, task_id, task, labels, worker, campaign_id, workflow_id, data, queue };
    return stored as StoredEvent;
  }

  #write(nowMs: number): void {
    if (this.#open === null) return;
    this.#database.run(
      'INSERT OR REPLACE INTO events (first_seq, count, last_ms, items) VALUES (?, ?, ?, ?)',
      this.#open.firstSeq,
      this.#open.count,
      nowMs,
      this.#open.items,
    );
  }

  /** Events after a number, at least one row’s worth; empty at the end. What retention has taken is missing. */
  after(seq: number, rowCount: number): StoredEvent[] {
    const rows = this.#database.all<{ first_seq: number; items: string }>(
      `SELECT first_seq, items FROM events WHERE first_seq >= coalesce(
         (SELECT max(first_seq) FROM events WHERE first_seq <= ?1 + 1), 0) ORDER BY first_seq LIMIT ?2`,
      seq,
      rowCount,
    );
    return rows.flatMap((row) => eventsOf(row.first_seq, row.items)).filter((event) => event.seq > seq);
  }

  /** The number of the oldest event that is still here; one more than the newest’s when there is none. */
  get oldestSeq(): number {
    return (
      this.#database.maybe<{ first_seq: number }>('SELECT first_seq FROM events ORDER BY first_seq LIMIT 1')
        ?.first_seq ?? this.#nextSeq
    );
  }

  /** The number before the first row that ended at `sinceMs` or later, by halving: rows are in the order of their times. */
  seqBefore(sinceMs: number): number {
    let [low, high] = [this.oldestSeq, this.#nextSeq];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = this.#database.maybe<{ first_seq: number; last_ms: number }>(
        'SELECT first_seq, last_ms FROM events WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1',
        middle,
      );
      if (row === undefined || row.last_ms < sinceMs) low = middle + 1;
      else high = row.first_seq;
    }
    return low - 1;
  }

  /** Whether there are rows that retention will take. */
  get hasOlder(): boolean {
    const query = 'SELECT 1 AS older FROM events WHERE first_seq < ? LIMIT 1';
    return this.#database.maybe(query, this.#newestRowSeq) !== undefined;
  }

  /** Deletes rows that ended before `cutoffMs`, never the newest, which keeps the numbering. @returns how many rows. */
  trim(cutoffMs: number, limit: number): number {
    return this.#database.all<{ first_seq: number }>(
      `DELETE FROM events WHERE first_seq IN (
         SELECT first_seq FROM events WHERE last_ms < ?1 AND first_seq < ?2 ORDER BY first_seq LIMIT ?3)
       RETURNING first_seq`,
      cutoffMs,
      this.#newestRowSeq,
      limit,
    ).length;
  }
}
