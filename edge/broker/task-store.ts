import type { Progress, TaskId, TaskState, WorkerId } from '#protocol';
import type { Database, SqlRow } from '../lib/sql.ts';
import type { Position } from './ready-queue.ts';
import type { PastAttempt, StoredState, TaskArguments, TaskOutcome, TaskRecord, TaskSpec } from './task-record.ts';

interface TaskRow extends SqlRow {
  id: string;
  lane: number;
  priority: number;
  state: string;
  attempt: number;
  retries: number;
  losses: number;
  revoking: number;
  due_ms: number | null;
  expires_ms: number | null;
  started_ms: number | null;
  finished_ms: number | null;
  owner: string;
  task: string;
  worker: string | null;
  labels: string;
  spec: string;
  outcome: string | null;
  history: string;
  progress: string | null;
}

const columns = `id, lane, priority, state, attempt, retries, losses, revoking, due_ms, expires_ms, started_ms, finished_ms,
  owner, task, worker, labels, spec, outcome, history, progress`;

/** Longer texts than this lie beside the row, so that rows stay quick to scan and to rewrite. */
const maxInlineChars = 16_384;
/** A statement’s parameter must stay well under SQLite’s 2 MB here. */
const maxStatementChars = 500_000;

/** A record with what must still be true of its row when it is written. */
interface Loaded {
  record: TaskRecord;
  state: StoredState;
  attempt: number;
  dirty: boolean;
}

/**
 * The tasks’ rows as a unit of work: within one commit each task is one object, changes are gathered and written by one statement. Every
 * write repeats in its WHERE the state and attempt that were read, so that a row can never be moved from a state that it isn’t in.
 */
export class TaskStore {
  readonly #database: Database;
  readonly #loaded = new Map<TaskId, Loaded>();
  readonly #arguments = new Map<TaskId, string>();
  #anyDirty = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The records that exist, in no particular order. */
  load(ids: readonly TaskId[]): TaskRecord[] {
    const missing = ids.filter((id) => !this.#loaded.has(id));
    if (missing.length > 0) {
      const rows = this.#database.all<TaskRow>(
        `SELECT ${columns} FROM tasks WHERE id IN (SELECT value FROM json_each(?))`,
        JSON.stringify(missing),
      );
      for (const row of rows) this.#remember(this.fromRow(row));
    }
    return ids.flatMap((id) => this.#loaded.get(id)?.record ?? []);
  }

  get(id: TaskId): TaskRecord | undefined {
    return this.load([id])[0];
  }

  /** For reading outside a commit: leaves no trace. */
  read(id: TaskId): TaskRecord | undefined {
    const row = this.#database.maybe<TaskRow>(`SELECT ${columns} FROM tasks WHERE id = ?`, id);
    return row === undefined ? undefined : this.fromRow(row);
  }

  exists(ids: readonly TaskId[]): Set<TaskId> {
    const rows = this.#database.all<{ id: string }>(
      'SELECT id FROM tasks WHERE id IN (SELECT value FROM json_each(?))',
      JSON.stringify(ids),
    );
    return new Set(rows.map((row) => row.id as TaskId));
  }

  /** Writes new rows at once. */
  insert(tasks: readonly { record: TaskRecord; arguments: TaskArguments }[]): void {
    const values = tasks.map(({ record, arguments: given }) => {
      const text = JSON.stringify(given);
      this.#remember(record);
      this.#arguments.set(record.id, text);
      const inline = text.length <= maxInlineChars;
      if (!inline) this.setPayload(record.id, 'arguments', text);
      return insertValues(record, inline ? text : '');
    });
    for (const chunk of chunks(values)) {
      this.#database.run(
        `INSERT INTO tasks (id, lane, priority, state, attempt, retries, losses, revoking, due_ms, expires_ms, started_ms, owner, task, labels,
           spec, arguments, history)
         SELECT value->>0, value->>1, value->>2, value->>3, 0, 0, 0, 0, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9,
           value->>10, value->>11, '[]'
         FROM json_each(?)`,
        chunk,
      );
    }
  }

  /** The record has changed and will be written by the next `flush`. */
  save(record: TaskRecord): void {
    const loaded = this.#loaded.get(record.id);
    if (loaded?.record !== record) throw new Error(`${record.id} was not loaded in this commit`);
    loaded.dirty = true;
    this.#anyDirty = true;
  }

  /** Writes what was saved. @throws Error when a row is no longer as it was read: a defect. */
  flush(): void {
    if (!this.#anyDirty) return;
    this.#anyDirty = false;
    const dirty = [...this.#loaded.values()].filter((loaded) => loaded.dirty);
    for (const chunk of chunks(dirty.map((loaded) => this.#updateValues(loaded)))) {
      const { expected } = this.#database.one<{ expected: number }>('SELECT json_array_length(?) AS expected', chunk);
      const written = this.#database.all<{ id: string }>(
        `UPDATE tasks SET state = j.value->>3, attempt = j.value->>4, retries = j.value->>5, losses = j.value->>6, revoking = j.value->>7,
           due_ms = j.value->>8, started_ms = j.value->>9, finished_ms = j.value->>10, worker = j.value->>11, outcome = j.value->>12,
           history = j.value->>13, progress = j.value->>14
         FROM json_each(?) AS j
         WHERE tasks.id = j.value->>0 AND tasks.state = j.value->>1 AND tasks.attempt = j.value->>2
           AND tasks.state IN ('PENDING', 'RETRY', 'STARTED')
         RETURNING tasks.id`,
        chunk,
      );
      if (written.length !== expected) throw new Error(`${expected - written.length} tasks changed behind the store`);
    }
    for (const loaded of dirty) {
      loaded.dirty = false;
      loaded.state = loaded.record.state;
      loaded.attempt = loaded.record.attempt;
    }
  }

  /** Ends the unit of work. */
  forget(): void {
    this.#loaded.clear();
    this.#arguments.clear();
    this.#anyDirty = false;
  }

  /** The stored text of tasks’ arguments, `{args, kwargs}`. */
  argumentsOf(ids: readonly TaskId[]): Map<TaskId, string> {
    const found = new Map<TaskId, string>();
    const missing = ids.filter((id) => {
      const known = this.#arguments.get(id);
      if (known !== undefined) found.set(id, known);
      return known === undefined;
    });
    if (missing.length > 0) {
      const rows = this.#database.all<{ id: string; text: string }>(
        `SELECT tasks.id, coalesce(payloads.data, tasks.arguments) AS text FROM tasks
         LEFT JOIN payloads ON tasks.arguments = '' AND payloads.task_id = tasks.id AND payloads.kind = 'arguments'
         WHERE tasks.id IN (SELECT value FROM json_each(?))`,
        JSON.stringify(missing),
      );
      for (const { id, text } of rows) found.set(id as TaskId, text);
    }
    return found;
  }

  payload(id: TaskId, kind: 'outcome' | 'snapshot'): string | undefined {
    return this.#database.maybe<{ data: string }>('SELECT data FROM payloads WHERE task_id = ? AND kind = ?', id, kind)
      ?.data;
  }

  setPayload(id: TaskId, kind: 'arguments' | 'outcome' | 'snapshot', data: string): void {
    this.#database.run('INSERT OR REPLACE INTO payloads (task_id, kind, data) VALUES (?, ?, ?)', id, kind, data);
  }

  dropPayload(id: TaskId, kind: 'outcome' | 'snapshot'): void {
    this.#database.run('DELETE FROM payloads WHERE task_id = ? AND kind = ?', id, kind);
  }

  /** The stored queue behind `ReadyQueue`. */
  readyPage(lane: number, after: Position | null, limit: number): Position[] {
    this.flush();
    const ready = `due_ms IS NULL AND state IN ('PENDING', 'RETRY')`;
    const select = `SELECT priority, id FROM tasks INDEXED BY tasks_ready WHERE lane = ? AND ${ready}`;
    const order = 'ORDER BY priority DESC, id LIMIT ?';
    type Row = { priority: number; id: string };
    if (after === null) return positions(this.#database.all<Row>(`${select} ${order}`, lane, limit));
    const same = this.#database.all<Row>(
      `${select} AND priority = ? AND id > ? ${order}`,
      lane,
      after.priority,
      after.id,
      limit,
    );
    if (same.length === limit) return positions(same);
    const lower = this.#database.all<Row>(
      `${select} AND priority < ? ${order}`,
      lane,
      after.priority,
      limit - same.length,
    );
    return positions([...same, ...lower]);
  }

  /** Lanes with ready tasks, by leaping from one to the next through the index. */
  readyLanes(): number[] {
    this.flush();
    const next = (condition: string): string =>
      `(SELECT min(lane) FROM tasks INDEXED BY tasks_ready WHERE due_ms IS NULL AND state IN ('PENDING', 'RETRY') ${condition})`;
    return this.#database
      .all<{ lane: number }>(
        `WITH RECURSIVE leap(lane) AS (
           SELECT ${next('')} UNION ALL SELECT ${next('AND lane > leap.lane')} FROM leap WHERE leap.lane IS NOT NULL)
         SELECT lane FROM leap WHERE lane IS NOT NULL`,
      )
      .map((row) => row.lane);
  }

  /** Tasks whose ETA or back-off has passed. */
  due(nowMs: number, limit: number): TaskId[] {
    return ids(this.#database.all('SELECT id FROM tasks WHERE due_ms <= ? ORDER BY due_ms LIMIT ?', nowMs, limit));
  }

  /** Tasks that were not begun in time. */
  expiring(nowMs: number, limit: number): TaskId[] {
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
    this.flush();
    return this.#database.one<{ next_ms: number | null }>(
      `SELECT min(ms) AS next_ms FROM (
         SELECT min(due_ms) AS ms FROM tasks WHERE due_ms IS NOT NULL
         UNION ALL
         SELECT min(expires_ms) FROM tasks INDEXED BY tasks_expiring WHERE expires_ms > ? AND state = 'PENDING')`,
      nowMs,
    ).next_ms;
  }

  /** Deletes final tasks, with all that belongs to them, that ended before `cutoffMs`. @returns how many. */
  deleteFinal(before: TaskId, cutoffMs: number, limit: number): number {
    const gone = JSON.stringify(
      ids(
        this.#database.all(
          'SELECT id FROM tasks WHERE id < ? AND finished_ms < ? ORDER BY id LIMIT ?',
          before,
          cutoffMs,
          limit,
        ),
      ),
    );
    const these = 'IN (SELECT value FROM json_each(?))';
    this.#database.run(`DELETE FROM payloads WHERE task_id ${these}`, gone);
    this.#database.run(`DELETE FROM idempotency WHERE task_id ${these}`, gone);
    return this.#database.all<{ id: string }>(`DELETE FROM tasks WHERE id ${these} RETURNING id`, gone).length;
  }

  isEmpty(): boolean {
    return this.#database.maybe('SELECT 1 AS any_task FROM tasks LIMIT 1') === undefined;
  }

  /** The record of a row with `taskColumns`. */
  fromRow(row: SqlRow): TaskRecord {
    const record = recordOf(row as TaskRow);
    if (row.outcome === '') {
      record.outcome = JSON.parse(this.payload(record.id, 'outcome') ?? 'null') as TaskOutcome | null;
    }
    return record;
  }

  #remember(record: TaskRecord): void {
    this.#loaded.set(record.id, { record, state: record.state, attempt: record.attempt, dirty: false });
  }

  #updateValues({ record, state, attempt }: Loaded): string {
    const outcome = record.outcome === null ? null : JSON.stringify(record.outcome);
    const inline = outcome === null || outcome.length <= maxInlineChars;
    if (!inline) this.setPayload(record.id, 'outcome', outcome);
    return JSON.stringify([
      record.id,
      state,
      attempt,
      record.state,
      record.attempt,
      record.retries,
      record.losses,
      record.revoking ? 1 : 0,
      record.dueMs,
      record.startedMs,
      record.finishedMs,
      record.worker,
      inline ? outcome : '',
      JSON.stringify(record.history),
      record.progress === null ? null : JSON.stringify(record.progress),
    ]);
  }
}

export const taskColumns = columns;

function insertValues(record: TaskRecord, given: string): string {
  return JSON.stringify([
    record.id,
    record.lane,
    record.priority,
    record.state,
    record.dueMs,
    record.expiresMs,
    record.startedMs,
    record.owner,
    record.task,
    JSON.stringify(record.labels),
    JSON.stringify(record.spec),
    given,
  ]);
}

/** JSON arrays of the values, each of a size that one parameter may have. */
function chunks(values: readonly string[]): string[] {
  const texts: string[] = [];
  let present: string[] = [];
  let chars = 0;
  for (const value of values) {
    if (chars + value.length > maxStatementChars && present.length > 0) {
      texts.push(`[${present.join(',')}]`);
      present = [];
      chars = 0;
    }
    present.push(value);
    chars += value.length;
  }
  if (present.length > 0) texts.push(`[${present.join(',')}]`);
  return texts;
}

function positions(rows: readonly { priority: number; id: string }[]): Position[] {
  return rows.map(({ priority, id }) => ({ priority, id: id as TaskId }));
}

function ids(rows: readonly SqlRow[]): TaskId[] {
  return rows.map((row) => row.id as TaskId);
}

function recordOf(row: TaskRow): TaskRecord {
  return {
    id: row.id as TaskId,
    lane: row.lane,
    priority: row.priority,
    expiresMs: row.expires_ms,
    owner: row.owner,
    task: row.task,
    labels: JSON.parse(row.labels) as string[],
    spec: JSON.parse(row.spec) as TaskSpec,
    state: row.state as TaskState as StoredState,
    attempt: row.attempt,
    retries: row.retries,
    losses: row.losses,
    revoking: row.revoking === 1,
    dueMs: row.due_ms,
    startedMs: row.started_ms,
    finishedMs: row.finished_ms,
    worker: row.worker as WorkerId | null,
    outcome: row.outcome === null || row.outcome === '' ? null : (JSON.parse(row.outcome) as TaskOutcome),
    history: JSON.parse(row.history) as PastAttempt[],
    progress: row.progress === null ? null : (JSON.parse(row.progress) as Progress),
  };
}
