import type { Clock } from './clock.ts';
import type { Database } from './sql.ts';
import type { Migration } from './migrate.ts';

/** The table behind `Alarms`; goes into an object’s list of migrations. */
export const alarmsTable: Migration['sql'] = `
  CREATE TABLE alarms (name TEXT PRIMARY KEY, due_ms INTEGER NOT NULL) WITHOUT ROWID;
`;

/** The part of a storage that is used. */
export type RuntimeAlarm = Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>;

/**
 * Many named due times on an object’s one alarm. They are rows, so that an object that is evicted wakes for them. Call the methods
 * inside the transaction that makes the alarm necessary, and `arm` once after it.
 */
export class Alarms<Name extends string> {
  readonly #database: Database;
  readonly #storage: RuntimeAlarm;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #dueMs = new Map<Name, number>();
  /** What the runtime’s alarm is set to. */
  #armedMs: number | null = null;

  constructor(database: Database, storage: RuntimeAlarm, clock: Pick<Clock, 'now'>) {
    this.#database = database;
    this.#storage = storage;
    this.#clock = clock;
    this.reload();
  }

  /** Forgets what memory has and reads the rows: after a transaction that was rolled back. */
  reload(): void {
    this.#dueMs.clear();
    this.#armedMs = null;
    for (const row of this.#database.all<{ name: string; due_ms: number }>('SELECT name, due_ms FROM alarms')) {
      this.#dueMs.set(row.name as Name, row.due_ms);
    }
  }

  dueMs(name: Name): number | undefined {
    return this.#dueMs.get(name);
  }

  /** Sets `name` to be due then, whatever it was before. */
  set(name: Name, dueMs: number): void {
    if (this.#dueMs.get(name) === dueMs) return;
    this.#dueMs.set(name, dueMs);
    this.#database.run('INSERT OR REPLACE INTO alarms (name, due_ms) VALUES (?, ?)', name, dueMs);
  }

  /** Sets `name` to be due then, unless it is due earlier: costs nothing where something is already scheduled. */
  setBy(name: Name, dueMs: number): void {
    const present = this.#dueMs.get(name);
    if (present === undefined || present > dueMs) this.set(name, dueMs);
  }

  clear(name: Name): void {
    if (this.#dueMs.delete(name)) this.#database.run('DELETE FROM alarms WHERE name = ?', name);
  }

  /** Takes the names that are due, earliest first; each is due no more. */
  take(nowMs: number): Name[] {
    const due = [...this.#dueMs].filter(([, dueMs]) => dueMs <= nowMs).sort((a, b) => a[1] - b[1]);
    for (const [name] of due) this.clear(name);
    return due.map(([name]) => name);
  }

  /** The runtime’s alarm has just been used up. Call it first thing in `alarm()`. */
  fired(): void {
    this.#armedMs = null;
  }

  /** Sets the runtime’s alarm if something is due one day and none is set. Call it when the object is built. */
  verify(): void {
    if (this.#dueMs.size === 0) return;
    void this.#storage.getAlarm().then((armedMs) => {
      this.#armedMs ??= armedMs;
      this.arm();
    });
  }

  /**
   * Sets the runtime’s alarm to the earliest due time, but never to a time that has come: workerd that is killed after an alarm was set anew for
   * the time of the one that is running keeps it in the storage and forgets to fire it. For the same reason one that is overdue is set anew.
   */
  arm(): void {
    const nowMs = this.#clock.now();
    const atMs = Math.max(Math.min(...this.#dueMs.values()), nowMs + 1);
    if (!Number.isFinite(atMs)) return;
    if (this.#armedMs !== null && this.#armedMs > nowMs && this.#armedMs <= atMs) return;
    this.#armedMs = atMs;
    void this.#storage.setAlarm(atMs);
  }
}
