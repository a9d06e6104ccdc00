import { catalog } from '#catalog';
import type { TaskId } from '#protocol';
import type { Database, SqlRow, SqlValue } from '../lib/sql.ts';
import type { Position } from './lane-head.ts';
import type { TaskStore } from './task-store.ts';

/** The tasks’ rows, asked for many at a time: what is ready, due, expiring, old. */
export class StoredQueue {
  readonly #database: Database;
  readonly #store: TaskStore;

  /** @param store whose pending writes are flushed before anything is asked. */
  constructor(database: Database, store: TaskStore) {
    this.#database = database;
    this.#store = store;
  }

  /** The stored queue behind `ReadyQueue`. */
  page(lane: number, after: Position | null, limit: number): Position[] {
    this.#store.flush();
    const select = `SELECT priority, id FROM tasks INDEXED BY tasks_ready WHERE lane = ? AND queued = 1`;
    const order = 'ORDER BY priority DESC, id LIMIT ?';
    if (after === null) return positions(this.#database.raw(`${select} ${order}`, lane, limit));
    const same = this.#database.raw(
      `${select} AND priority = ? AND id > ? ${order}`,
      lane,
      after.priority,
      after.id,
      limit,
    );
    if (same.length === limit) return positions(same);
    const lower = this.#database.raw(`${select} AND priority < ? ${order}`, lane, after.priority, limit - same.length);
    return positions([...same, ...lower]);
  }

  /** The first ready task of each lane that has one, by leaping from one lane to the next through the index. */
  heads(): { lane: number; head: Position }[] {
    this.#store.flush();
    const next = (condition: string): string =>
      `(SELECT min(lane) FROM tasks INDEXED BY tasks_ready WHERE queued = 1 ${condition})`;
    const first = (column: string): string =>
      `(SELECT ${column} FROM tasks INDEXED BY tasks_ready WHERE queued = 1 AND lane = leap.lane ORDER BY priority DESC, id LIMIT 1)`;
    return this.#database
      .all<{ lane: number; priority: number; id: string }>(
        `WITH RECURSIVE leap(lane) AS (
           SELECT ${next('')} UNION ALL SELECT ${next('AND lane > leap.lane')} FROM leap WHERE leap.lane IS NOT NULL)
         SELECT lane, ${first('priority')} AS priority, ${first('id')} AS id FROM leap WHERE lane IS NOT NULL`,
      )
      .map(({ lane, priority, id }) => ({ lane, head: { priority, id: id as TaskId } }));
  }

  /** Tasks whose ETA or back-off has passed. */
  due(nowMs: number, limit: number): TaskId[] {
    this.#store.flush();
    return ids(this.#database.all('SELECT id FROM tasks WHERE due_ms <= ? ORDER BY due_ms LIMIT ?', nowMs, limit));
  }

  /** Tasks that were not begun in time. */
  expiring(nowMs: number, limit: number): TaskId[] {
    this.#store.flush();
    return ids(
      this.#database.all(
        `SELECT id FROM tasks INDEXED BY tasks_expiring WHERE expires_ms <= ? AND state = 'PENDING' ORDER BY expires_ms LIMIT ?`,
        nowMs,
        limit,
      ),
    );
  }

  /** When the next ETA or back-off passes, or the next task expires after `nowMs`. */
  nextDue(nowMs: number): number | null {
    this.#store.flush();
    return this.#database.one<{ next_ms: number | null }>(
      `SELECT min(ms) AS next_ms FROM (
         SELECT min(due_ms) AS ms FROM tasks WHERE due_ms IS NOT NULL
         UNION ALL
         SELECT min(expires_ms) FROM tasks INDEXED BY tasks_expiring WHERE expires_ms > ? AND state = 'PENDING')`,
      nowMs,
    ).next_ms;
  }

  /**
   * Deletes final tasks, with all that belongs to them, that ended before `cutoffMs`; those that campaigns are listed by, before `campaignCutoffMs`.
   * @returns how many.
   */
  deleteFinal(before: TaskId, cutoffMs: number, campaignCutoffMs: number, limit: number): number {
    const old = ids(
      this.#database.all(
        'SELECT id FROM tasks WHERE id < ? AND finished_ms < CASE task WHEN ? THEN ? ELSE ? END ORDER BY id LIMIT ?',
        before,
        catalog.run_campaign.name,
        campaignCutoffMs,
        cutoffMs,
        limit,
      ),
    );
    const gone = JSON.stringify(old);
    const these = 'IN (SELECT value FROM json_each(?))';
    this.#database.run(`DELETE FROM payloads WHERE task_id ${these}`, gone);
    this.#database.run(`DELETE FROM idempotency WHERE task_id ${these}`, gone);
    this.#database.run(`DELETE FROM tasks WHERE id ${these}`, gone);
    return old.length;
  }

  isEmpty(): boolean {
    return this.#database.maybe('SELECT 1 AS any_task FROM tasks LIMIT 1') === undefined;
  }
}

function positions(rows: readonly SqlValue[][]): Position[] {
  return (rows as [priority: number, id: TaskId][]).map(([priority, id]) => ({ priority, id }));
}

function ids(rows: readonly SqlRow[]): TaskId[] {
  return rows.map((row) => row.id as TaskId);
}
