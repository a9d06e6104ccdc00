import type { ScheduleSpec, TaskId } from '#protocol';
import type { Database, SqlRow } from '../lib/sql.ts';

/** One schedule as it is stored. */
export interface StoredSchedule {
  readonly owner: string;
  readonly name: string;
  /** Of this schedule alone, even when another one takes its name: its ticks are known by it. */
  readonly id: string;
  readonly spec: ScheduleSpec;
  /** What intervals are counted from. */
  readonly anchorMs: number;
  readonly nextMs: number | null;
  readonly lastRunMs: number | null;
  readonly totalRuns: number;
  readonly lastTaskId: TaskId | null;
  readonly lastError: string | null;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** What moves when a schedule runs. */
export type Run = Pick<StoredSchedule, 'nextMs' | 'lastRunMs' | 'totalRuns' | 'lastTaskId' | 'lastError'>;

type Row = {
  owner: string;
  name: string;
  id: string;
  spec: string;
  anchor_ms: number;
  next_ms: number | null;
  last_run_ms: number | null;
  total_runs: number;
  last_task_id: string | null;
  last_error: string | null;
  created_ms: number;
  updated_ms: number;
} & SqlRow;

/** Answers over their time that one new one makes room for. */
const forgottenAtOnce = 1_000;

/** The rows of the beat. */
export class BeatStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  find(owner: string, name: string): StoredSchedule | null {
    const row = this.#database.maybe<Row>('SELECT * FROM schedules WHERE owner = ? AND name = ?', owner, name);
    return row === undefined ? null : fromRow(row);
  }

  count(owner: string): number {
    return this.#database.one<{ count: number }>('SELECT count(*) AS count FROM schedules WHERE owner = ?', owner)
      .count;
  }

  /** After `after` in the order of owner and name; of everyone where `owner` is null. */
  list(owner: string | null, after: { owner: string; name: string }, limit: number): StoredSchedule[] {
    return this.#database
      .all<Row>(
        `SELECT * FROM schedules WHERE (owner, name) > (?1, ?2) AND (?3 IS NULL OR owner = ?3)
         ORDER BY owner, name LIMIT ?4`,
        after.owner,
        after.name,
        owner,
        limit,
      )
      .map(fromRow);
  }

  put(schedule: StoredSchedule): void {
    this.#database.run(
      `INSERT OR REPLACE INTO schedules (owner, name, id, spec, anchor_ms, next_ms, last_run_ms, total_runs, last_task_id, last_error,
         created_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      schedule.owner,
      schedule.name,
      schedule.id,
      JSON.stringify(schedule.spec),
      schedule.anchorMs,
      schedule.nextMs,
      schedule.lastRunMs,
      schedule.totalRuns,
      schedule.lastTaskId,
      schedule.lastError,
      schedule.createdMs,
      schedule.updatedMs,
    );
  }

  ran({ owner, name }: StoredSchedule, run: Run): void {
    this.#database.run(
      `UPDATE schedules SET next_ms = ?, last_run_ms = ?, total_runs = ?, last_task_id = ?, last_error = ?
       WHERE owner = ? AND name = ?`,
      run.nextMs,
      run.lastRunMs,
      run.totalRuns,
      run.lastTaskId,
      run.lastError,
      owner,
      name,
    );
  }

  remove(owner: string, name: string): void {
    this.#database.run('DELETE FROM schedules WHERE owner = ? AND name = ?', owner, name);
  }

  /** Those whose tick has come, the longest overdue first. */
  due(nowMs: number, limit: number): StoredSchedule[] {
    return this.#database
      .all<Row>('SELECT * FROM schedules WHERE next_ms <= ? ORDER BY next_ms LIMIT ?', nowMs, limit)
      .map(fromRow);
  }

  /** When the next tick of all comes. */
  nextMs(): number | null {
    return this.#database.one<{ ms: number | null }>(
      'SELECT min(next_ms) AS ms FROM schedules WHERE next_ms IS NOT NULL',
    ).ms;
  }

  answered<Answer>(owner: string, key: string): { digest: string; answer: Answer } | null {
    const row = this.#database.maybe<{ digest: string; answer: string }>(
      'SELECT digest, answer FROM requests WHERE owner = ? AND key = ?',
      owner,
      key,
    );
    return row === undefined ? null : { digest: row.digest, answer: JSON.parse(row.answer) as Answer };
  }

  /** Keeps an answer, and forgets those that were given before `cutoffMs`. */
  keepAnswer(
    { owner, key, digest }: { owner: string; key: string; digest: string },
    answer: unknown,
    nowMs: number,
    cutoffMs: number,
  ): void {
    this.#database.run(
      `DELETE FROM requests WHERE (owner, key) IN (SELECT owner, key FROM requests WHERE made_ms < ? LIMIT ?)`,
      cutoffMs,
      forgottenAtOnce,
    );
    this.#database.run(
      'INSERT INTO requests (owner, key, digest, answer, made_ms) VALUES (?, ?, ?, ?, ?)',
      owner,
      key,
      digest,
      JSON.stringify(answer),
      nowMs,
    );
  }
}

function fromRow(row: Row): StoredSchedule {
  return {
    owner: row.owner,
    name: row.name,
    id: row.id,
    spec: JSON.parse(row.spec) as ScheduleSpec,
    anchorMs: row.anchor_ms,
    nextMs: row.next_ms,
    lastRunMs: row.last_run_ms,
    totalRuns: row.total_runs,
    lastTaskId: row.last_task_id as TaskId | null,
    lastError: row.last_error,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
  };
}
