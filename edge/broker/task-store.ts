import type { TaskId } from '#protocol';
import type { Database, JsonRow, SqlValue } from '../lib/sql.ts';
import { countsOf, type LaneCount, type LaneCounts } from './flow/counts.ts';
import type { SpecTable } from './spec-table.ts';
import type { StoredState, TaskArguments, TaskRecord } from './task-record.ts';
import {
  changedTaskRow,
  firstSuccessRow,
  insertTasks,
  isFirstSuccess,
  newTaskRow,
  recordOf,
  taskColumns,
  updateFirstSuccesses,
  updateTasks,
} from './task-row.ts';

/** Longer texts than this lie beside the row, so that rows stay quick to scan and to rewrite. */
const maxInlineChars = 16_384;
/** Open tasks that stay in memory from one commit to the next, besides those that are out on lease. */
const maxKept = 4_096;
/** Arguments that stay in memory with them. */
const maxKeptChars = 1_024;

/** A record with what must still be true of its row when it is written. */
interface Loaded {
  record: TaskRecord;
  state: StoredState;
  attempt: number;
  /** How its row counts; null while there is none. */
  counted: LaneCount | null;
  /** Not written yet. */
  isNew: boolean;
  dirty: boolean;
  /** The text of its arguments, where it is known. */
  given: string | null;
  /** Of a new one: what its submission was answered under an idempotency key. */
  answer: KeyedAnswer | null;
}

export interface KeyedAnswer {
  readonly key: string;
  readonly text: string;
}

export interface TaskStoreParts {
  readonly database: Database;
  readonly specs: SpecTable;
  /** Hears how what is written counts. */
  readonly counts: LaneCounts;
  /** True for a task that is out on lease. */
  readonly isLeased: (id: TaskId) => boolean;
}

/**
 * The tasks’ rows as a unit of work: within one commit each task is one object, changes are gathered and written by one statement. Every
 * write repeats in its WHERE the state and attempt that were read, so that a row can never be moved from a state that it isn’t in.
 * Between commits it keeps the tasks that will be asked for next: those that are out on lease, and some that wait.
 */
export class TaskStore {
  readonly #parts: TaskStoreParts;
  readonly #loaded = new Map<TaskId, Loaded>();
  /** Of those, what this commit has touched. */
  #touched = new Set<Loaded>();
  #anyDirty = false;

  constructor(parts: TaskStoreParts) {
    this.#parts = parts;
  }

  /** The records that exist, in no particular order. */
  load(ids: readonly TaskId[]): TaskRecord[] {
    const missing = ids.filter((id) => !this.#loaded.has(id));
    if (missing.length > 0) {
      for (const row of this.#rows(`${taskColumns}, arguments`, missing)) {
        const given = row.at(-1) as string;
        // Long ones lie beside the row.
        this.#remember(this.fromRow(row)).given = given === '' ? null : given;
      }
    }
    const records: TaskRecord[] = [];
    for (const id of ids) {
      const record = this.get(id);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  get(id: TaskId): TaskRecord | undefined {
    const loaded = this.#loaded.get(id);
    if (loaded === undefined) {
      const record = this.read(id);
      return record === undefined ? undefined : this.#remember(record).record;
    }
    this.#touched.add(loaded);
    return loaded.record;
  }

  /** For reading outside a commit: leaves no trace. */
  read(id: TaskId): TaskRecord | undefined {
    return this.readAll([id]).get(id);
  }

  /** Those that exist, likewise. */
  readAll(ids: readonly TaskId[]): Map<TaskId, TaskRecord> {
    const found = new Map<TaskId, TaskRecord>();
    const missing: TaskId[] = [];
    for (const id of ids) {
      const known = this.#loaded.get(id);
      if (known === undefined) missing.push(id);
      else found.set(id, known.record);
    }
    if (missing.length === 0) return found;
    for (const row of this.#rows(taskColumns, missing)) {
      const record = this.fromRow(row);
      found.set(record.id, record);
    }
    return found;
  }

  exists(ids: readonly TaskId[]): Set<TaskId> {
    const rows = this.#parts.database.all<{ id: string }>(
      'SELECT id FROM tasks WHERE id IN (SELECT value FROM json_each(?))',
      JSON.stringify(ids),
    );
    return new Set([...rows.map((row) => row.id as TaskId), ...ids.filter((id) => this.#loaded.has(id))]);
  }

  /** New rows; they are written by the next `flush`. */
  insert(tasks: readonly { record: TaskRecord; arguments: TaskArguments }[]): void {
    for (const { record, arguments: given } of tasks) {
      const loaded = this.#remember(record);
      loaded.isNew = true;
      loaded.counted = null;
      loaded.given = JSON.stringify(given);
    }
    this.#anyDirty ||= tasks.length > 0;
  }

  /** A new task was given out in the commit in which it came: it needs no place in the stored queue. */
  passQueue(record: TaskRecord): void {
    if (this.#loaded.get(record.id)?.isNew === true) record.queued = false;
  }

  /** Keeps an answer in a new task’s row. @returns false where there is no room: it has one, or is not new. */
  keepAnswer(owner: string, id: TaskId, key: string, text: string): boolean {
    const loaded = this.#loaded.get(id);
    if (loaded?.isNew !== true || loaded.answer !== null || loaded.record.owner !== owner) return false;
    loaded.answer = { key, text };
    return true;
  }

  /** The record has changed, or will, and will be written by the next `flush`. */
  save(record: TaskRecord): void {
    const loaded = this.#loaded.get(record.id);
    if (loaded?.record !== record) throw new Error(`${record.id} was not loaded in this commit`);
    loaded.dirty = true;
    this.#touched.add(loaded);
    this.#anyDirty = true;
  }

  /** Writes what is new and what was saved. @throws Error when a row is no longer as it was read: a defect. */
  flush(): void {
    if (!this.#anyDirty) return;
    this.#anyDirty = false;
    const fresh: Loaded[] = [];
    const changed: Loaded[] = [];
    for (const loaded of this.#touched) {
      if (loaded.isNew) fresh.push(loaded);
      if (loaded.dirty) changed.push(loaded);
    }
    this.#insert(fresh);
    this.#update(changed);
    for (const loaded of [...fresh, ...changed]) {
      const { state, attempt, lane } = loaded.record;
      const counted = countsOf(loaded.record);
      this.#parts.counts.changed(lane, loaded.counted, counted);
      Object.assign(loaded, { isNew: false, dirty: false, state, attempt, counted, answer: null });
    }
  }

  /** Ends the unit of work. What will be asked for again stays; it is as its row is. */
  settle(): void {
    for (const loaded of this.#touched) {
      if (!this.#isKept(loaded.record)) this.#loaded.delete(loaded.record.id);
      else if (loaded.given !== null && loaded.given.length > maxKeptChars) loaded.given = null;
    }
    this.#touched = new Set();
  }

  /** Forgets everything: after a commit that was rolled back. */
  forget(): void {
    this.#loaded.clear();
    this.#touched = new Set();
    this.#anyDirty = false;
  }

  /** The stored text of tasks’ arguments, `{args, kwargs}`. */
  argumentsOf(ids: readonly TaskId[]): Map<TaskId, string> {
    const found = new Map<TaskId, string>();
    const missing: TaskId[] = [];
    for (const id of ids) {
      const given = this.#loaded.get(id)?.given ?? null;
      if (given === null) missing.push(id);
      else found.set(id, given);
    }
    if (missing.length > 0) {
      const rows = this.#parts.database.raw(
        `SELECT tasks.id, coalesce(payloads.data, tasks.arguments) FROM tasks
         LEFT JOIN payloads ON tasks.arguments = '' AND payloads.task_id = tasks.id AND payloads.kind = 'arguments'
         WHERE tasks.id IN (SELECT value FROM json_each(?))`,
        JSON.stringify(missing),
      );
      for (const [id, text] of rows as [TaskId, string][]) found.set(id, text);
    }
    return found;
  }

  payload(id: TaskId, kind: 'outcome' | 'snapshot'): string | undefined {
    return this.#parts.database.maybe<{ data: string }>(
      'SELECT data FROM payloads WHERE task_id = ? AND kind = ?',
      id,
      kind,
    )?.data;
  }

  setPayload(id: TaskId, kind: 'arguments' | 'outcome' | 'snapshot', data: string): void {
    this.#parts.database.run('INSERT OR REPLACE INTO payloads (task_id, kind, data) VALUES (?, ?, ?)', id, kind, data);
  }

  /** The record of a row with `taskColumns`. */
  fromRow(row: readonly SqlValue[]): TaskRecord {
    return recordOf(row, this.#parts.specs, (id) => this.payload(id, 'outcome') ?? 'null');
  }

  #rows(columns: string, ids: readonly TaskId[]): SqlValue[][] {
    return this.#parts.database.raw(
      `SELECT ${columns} FROM tasks WHERE id IN (SELECT value FROM json_each(?))`,
      JSON.stringify(ids),
    );
  }

  #remember(record: TaskRecord): Loaded {
    const { state, attempt } = record;
    const counted = countsOf(record);
    const loaded = { record, state, attempt, counted, isNew: false, dirty: false, given: null, answer: null };
    this.#loaded.set(record.id, loaded);
    this.#touched.add(loaded);
    return loaded;
  }

  #isKept({ id, finishedMs, queued, outcome }: TaskRecord): boolean {
    if (finishedMs !== null) return false;
    if (this.#parts.isLeased(id)) return this.#loaded.size <= maxKept;
    return queued && outcome === null && this.#loaded.size <= maxKept / 2;
  }

  #insert(fresh: readonly Loaded[]): void {
    this.#parts.database.runEach(
      insertTasks,
      lazily(fresh, (loaded) => this.#newRow(loaded)),
    );
  }

  #newRow({ record, state, given, answer }: Loaded): JsonRow {
    const text = given ?? '';
    const isInline = text.length <= maxInlineChars;
    if (!isInline) this.setPayload(record.id, 'arguments', text);
    const row = newTaskRow(record, state, this.#parts.specs.store(record.spec), isInline ? text : '');
    return answer === null ? row : [...row, answer.key, answer.text];
  }

  #update(changed: readonly Loaded[]): void {
    const { database } = this.#parts;
    const [first, others]: [Loaded[], Loaded[]] = [[], []];
    for (const loaded of changed) (isFirstSuccess(loaded.record, loaded) ? first : others).push(loaded);
    const rows = lazily(others, (loaded) => changedTaskRow(loaded.record, loaded, this.#outcomeText(loaded.record)));
    const firstRows = lazily(first, ({ record }) => firstSuccessRow(record, this.#outcomeText(record)));
    const updated = database.changeEach(updateFirstSuccesses, firstRows) + database.changeEach(updateTasks, rows);
    if (updated !== changed.length) {
      throw new Error(`of ${changed.length} tasks ${changed.length - updated} changed behind the store`);
    }
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

function* lazily<Item, Made>(items: Iterable<Item>, make: (item: Item) => Made): Generator<Made> {
  for (const item of items) yield make(item);
}
