import { isErrorCode, type EventType, type JsonObject } from '#protocol';
import type { Database } from '../lib/sql.ts';
import type { StoredEvent } from './events.ts';
import type { TaskTallies } from './rpc.ts';

/** Upper bounds of the histogram of runtimes, in seconds; what is longer is in one more bucket. From a blink to the hard time limit and beyond. */
export const runtimeBounds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200] as const;

/** Anyone may name queues, but not make a scrape without end: beyond this many pairs of task type and queue, further queues count as one. */
const maxPairs = 1000;
const otherQueues = '(others)';

/**
 * What has happened to tasks, counted from the events of each commit. Kept in memory and written now and then as one row: the last
 * seconds may be lost by a crash. They grow with the number of task types and queues, not with that of tasks.
 */
export class Tallies {
  readonly #database: Database;
  readonly #events = new Map<string, TaskTallies['events'][number]>();
  readonly #retries = new Map<string, TaskTallies['retries'][number]>();
  readonly #failures = new Map<string, TaskTallies['failures'][number]>();
  readonly #runtimes = new Map<string, TaskTallies['runtimes'][number]>();
  readonly #pairs = new Set<string>();
  isDirty = false;

  constructor(database: Database) {
    this.#database = database;
    const row = database.maybe<{ value: string }>(`SELECT value FROM meta WHERE name = 'tallies'`);
    const stored = JSON.parse(row?.value ?? '{}') as Partial<TaskTallies>;
    for (const each of stored.events ?? []) {
      this.#pairs.add(`${each.task} ${each.queue}`);
      this.#events.set(`${each.type} ${each.task} ${each.queue}`, each);
    }
    for (const each of stored.retries ?? []) this.#retries.set(`${each.task} ${each.reason}`, each);
    for (const each of stored.failures ?? []) this.#failures.set(`${each.task} ${each.error}`, each);
    for (const each of stored.runtimes ?? []) this.#runtimes.set(`${each.task} ${each.state}`, each);
  }

  /** Counts what a commit has told. */
  hear(events: readonly StoredEvent[]): void {
    for (const event of events) {
      if (event.task === undefined || !event.type.startsWith('task-')) continue;
      this.isDirty = true;
      this.#count(event.type, event.task, this.#queueOf(event.task, event.queue ?? ''));
      this.#detail(event.type, event.task, (event.data ?? {}) as JsonObject);
    }
  }

  flush(): void {
    this.#database.run(`INSERT OR REPLACE INTO meta (name, value) VALUES ('tallies', ?)`, JSON.stringify(this.read()));
    this.isDirty = false;
  }

  read(): TaskTallies {
    return {
      events: [...this.#events.values()],
      retries: [...this.#retries.values()],
      failures: [...this.#failures.values()],
      runtimes: [...this.#runtimes.values()],
    };
  }

  #queueOf(task: string, queue: string): string {
    if (this.#pairs.has(`${task} ${queue}`)) return queue;
    if (this.#pairs.size >= maxPairs) return otherQueues;
    this.#pairs.add(`${task} ${queue}`);
    return queue;
  }

  #count(type: EventType, task: string, queue: string): void {
    count(this.#events, `${type} ${task} ${queue}`, () => ({ type, task, queue, count: 0 }));
  }

  #detail(type: EventType, task: string, data: JsonObject): void {
    const error = (data.error as { type?: unknown } | undefined)?.type;
    switch (type) {
      case 'task-retried': {
        const reason = isErrorCode(data.reason) ? data.reason : 'released';
        count(this.#retries, `${task} ${reason}`, () => ({ task, reason, count: 0 }));
        break;
      }
      case 'task-failed': {
        if (isErrorCode(error)) count(this.#failures, `${task} ${error}`, () => ({ task, error, count: 0 }));
        this.#observe(task, 'FAILURE', data.runtime);
        break;
      }
      case 'task-succeeded':
        this.#observe(task, 'SUCCESS', data.runtime);
        break;
      default:
    }
  }

  #observe(task: string, state: 'SUCCESS' | 'FAILURE', runtime: unknown): void {
    const seconds = typeof runtime === 'number' ? runtime : 0;
    const key = `${task} ${state}`;
    const tally = this.#runtimes.get(key) ?? {
      task,
      state,
      buckets: Array.from({ length: runtimeBounds.length + 1 }, () => 0),
      seconds: 0,
    };
    this.#runtimes.set(key, tally);
    const bucket = runtimeBounds.findIndex((bound) => seconds <= bound);
    const index = bucket < 0 ? runtimeBounds.length : bucket;
    tally.buckets[index] = (tally.buckets[index] ?? 0) + 1;
    tally.seconds += seconds;
  }
}

function count<Tally extends { count: number }>(tallies: Map<string, Tally>, key: string, make: () => Tally): void {
  let tally = tallies.get(key);
  if (tally === undefined) tallies.set(key, (tally = make()));
  tally.count++;
}
