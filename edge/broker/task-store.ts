import type { TaskId } from '#protocol';
import type { Database, SqlRow } from '../lib/sql.ts';
import type { StoredState, TaskArguments, TaskOutcome, TaskRecord } from './task-record.ts';
import { recordOf, taskColumns, type TaskRow } from './task-row.ts';

/** Longer texts than this lie beside the row, so that rows stay quick to scan and to rewrite. */
const maxInlineChars = 16_384;
/** A record with what must still be true of its row when it is written. */
interface Loaded {
  record: TaskRecord;
  state: StoredState;
  attempt: number;
  /** Not written yet. */
  isNew: boolean;
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
        `SELECT ${taskColumns} FROM tasks WHERE id IN (SELECT value FROM json_each(?))`,
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
    const row = this.#database.maybe<TaskRow>(`SELECT ${taskColumns} FROM tasks WHERE id = ?`, id);
    return row === undefined ? undefined : this.fromRow(row);
  }

  exists(ids: readonly TaskId[]): Set<TaskId> {
    const rows = this.#database.all<{ id: string }>(
      'SELECT id FROM tasks WHERE id IN (SELECT value FROM json_each(?))',
      JSON.stringify(ids),
    );
    return new Set([...rows.map((row) => row.id as TaskId), ...ids.filter((id) => this.#loaded.has(id))]);
  }

  /** New rows; they are written by the next `flush`, as they are then. */
  insert(tasks: readonly { record: TaskRecord; arguments: TaskArguments }[]): void {
    for (const { record, arguments: given } of tasks) {
      this.#remember(record, true);
      this.#arguments.set(record.id, JSON.stringify(given));
    }
    this.#anyDirty ||= tasks.length > 0;
  }

  /** True for a task that came in this commit. */
  isNew(record: TaskRecord): boolean {
    return this.#loaded.get(record.id)?.isNew === true;
  }

  /** The record has changed and will be written by the next `flush`. */
  save(record: TaskRecord): void {
    const loaded = this.#loaded.get(record.id);
    if (loaded?.record !== record) throw new Error(`${record.id} was not loaded in this commit`);
    loaded.dirty = true;
    this.#anyDirty = true;
  }

  /** Writes what is new and what was saved. @throws Error when a row is no longer as it was read: a defect. */
  flush(): void {
    if (!this.#anyDirty) return;
    this.#anyDirty = false;
    for (const loaded of this.#loaded.values()) {
      if (loaded.isNew) this.#insert(loaded.record);
      else if (loaded.dirty) this.#update(loaded);
      else continue;
      const { state, attempt } = loaded.record;
      Object.assign(loaded, { isNew: false, dirty: false, state, attempt });
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

  /** The record of a row with `taskColumns`. */
  fromRow(row: SqlRow): TaskRecord {
    const record = recordOf(row as TaskRow);
    if (row.outcome === '') {
      record.outcome = JSON.parse(this.payload(record.id, 'outcome') ?? 'null') as TaskOutcome | null;
    }
    return record;
  }

  #remember(record: TaskRecord, isNew = false): void {
    this.#loaded.set(record.id, { record, state: record.state, attempt: record.attempt, isNew, dirty: false });
  }

  // One statement a row: binding its values was measured a third faster than unpacking many rows from one JSON parameter.
  #insert(record: TaskRecord): void {
    const given = this.#arguments.get(record.id) ?? '';
    const inline = given.length <= maxInlineChars;
    if (!inline) this.setPayload(record.id, 'arguments', given);
    this.#database.run(
      `INSERT INTO tasks (${taskColumns}, arguments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      record.id,
      record.lane,
      record.priority,
      record.state,
      record.attempt,
      record.retries,
      record.losses,
      record.revoking ? 1 : 0,
      record.queued ? 1 : 0,
      record.dueMs,
      record.expiresMs,
      record.startedMs,
      record.finishedMs,
      record.owner,
      record.task,
      record.worker,
      JSON.stringify(record.labels),
      JSON.stringify(record.spec),
      this.#outcomeText(record),
      JSON.stringify(record.history),
      record.progress === null ? null : JSON.stringify(record.progress),
      inline ? given : '',
    );
  }

  #update({ record, state, attempt }: Loaded): void {
    const updated = this.#database.maybe(
      `UPDATE tasks SET state = ?, attempt = ?, retries = ?, losses = ?, revoking = ?, queued = ?, due_ms = ?, started_ms = ?, finished_ms = ?,
         worker = ?, outcome = ?, history = ?, progress = ?
       WHERE id = ? AND state = ? AND attempt = ? AND state IN ('PENDING', 'RETRY', 'STARTED')
       RETURNING id`,
      record.state,
      record.attempt,
      record.retries,
      record.losses,
      record.revoking ? 1 : 0,
      record.queued ? 1 : 0,
      record.dueMs,
      record.startedMs,
      record.finishedMs,
      record.worker,
      this.#outcomeText(record),
      JSON.stringify(record.history),
      record.progress === null ? null : JSON.stringify(record.progress),
      record.id,
      state,
      attempt,
    );
    if (updated === undefined) throw new Error(`task ${record.id} changed behind the store`);
  }

  /** The outcome’s column; a long one is put beside the row. */
  #outcomeText({ id, outcome }: TaskRecord): string | null {
    if (outcome === null) return null;
    const text = JSON.stringify(outcome);
    if (text.length <= maxInlineChars) return text;
    this.setPayload(id, 'outcome', text);
    return '';
  }
}
