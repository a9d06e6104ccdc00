import { isAdmin, isFinal, type Principal, type TaskId, type TaskState, type WorkerId } from '#protocol';
import { invalidCursor } from '../lib/cursor.ts';
import { firstIdAt } from '../lib/ids.ts';
import type { SqlValue } from '../lib/sql.ts';
import type { Core } from './core.ts';
import type { TaskQuery } from './rpc.ts';
import { visibleState, type TaskRecord } from './task-record.ts';
import { taskColumns } from './task-row.ts';

/** Rows that one step looks at, so that a rare filter answers step by step instead of after a long wait. */
const windowRows = 5_000;

/** What a step found, and the cursor of the next one: null at the end. */
export interface SearchStep {
  records: TaskRecord[];
  next: string | null;
}

/**
 * Walks over the tasks that a query describes, in the order of their ids, which is that of their submission. What is submitted while it
 * walks from the newest to the oldest is not met.
 */
export class TaskSearch {
  readonly #core: Core;
  readonly #where: string;
  readonly #values: SqlValue[];
  readonly #floor: string;
  readonly #ceiling: string;
  readonly #oldestFirst: boolean;

  /** @param principal sees its own, an admin all. */
  constructor(core: Core, principal: Principal, query: TaskQuery) {
    this.#core = core;
    const { where, values } = conditions(core, principal, query);
    this.#where = where;
    this.#values = values;
    this.#floor = query.since_ms === undefined ? '' : firstIdAt(core.shard, query.since_ms);
    this.#ceiling = query.until_ms === undefined ? '~' : firstIdAt(core.shard, query.until_ms);
    this.#oldestFirst = query.order === 'oldest';
  }

  /** @param cursor of the step before; null to begin. @throws invalid_request for one of somebody else’s making. */
  step(cursor: string | null, limit: number): SearchStep {
    const { database, tasks } = this.#core;
    const [from, to] = this.#range(cursor);
    const order = this.#oldestFirst ? 'id' : 'id DESC';
    // Where every row is wanted, the page itself is all that is looked at.
    const last =
      this.#where === ''
        ? undefined
        : database.maybe<{ id: string }>(
            `SELECT id FROM tasks WHERE id >= ? AND id < ? ORDER BY ${order} LIMIT 1 OFFSET ?`,
            from,
            to,
            windowRows - 1,
          );
    const [low, high] = last === undefined ? [from, to] : this.#oldestFirst ? [from, after(last.id)] : [last.id, to];
    const records = database
      .raw(
        `SELECT ${taskColumns} FROM tasks WHERE id >= ? AND id < ? ${this.#where} ORDER BY ${order} LIMIT ?`,
        low,
        high,
        ...this.#values,
        limit,
      )
      .map((row) => tasks.fromRow(row));
    if (records.length >= limit) return { records, next: records.at(-1)?.id ?? null };
    return { records, next: last?.id ?? null };
  }

  /** The ids that are still to be looked at: from the first up to, and without, the second. */
  #range(cursor: string | null): [from: string, to: string] {
    if (cursor === null) return [this.#floor, this.#ceiling];
    const position = parseCursor(this.#core, cursor);
    if (!this.#oldestFirst) return [this.#floor, position < this.#ceiling ? position : this.#ceiling];
    return [after(position) > this.#floor ? after(position) : this.#floor, this.#ceiling];
  }
}

/** The first text that sorts after an id. */
function after(id: string): string {
  return `${id}!`;
}

function parseCursor(core: Core, cursor: string): string {
  if (new RegExp(`^${core.shard}-[0-9a-z]{26}$`).test(cursor)) return cursor;
  throw invalidCursor();
}

/** The code of a task’s error; a long outcome lies beside the row. */
const errorType = `json_extract(CASE outcome WHEN '' THEN
  (SELECT data FROM payloads WHERE task_id = tasks.id AND kind = 'outcome') ELSE outcome END, '$.error.type')`;

/** The conditions on rows. RECEIVED and STARTED are not in the rows but in the leases. */
function conditions(core: Core, principal: Principal, query: TaskQuery): { where: string; values: SqlValue[] } {
  const terms: string[] = [];
  const values: SqlValue[] = [];
  const add = (term: string, ...bound: SqlValue[]): void => {
    terms.push(`AND ${term}`);
    values.push(...bound);
  };
  if (!isAdmin(principal)) add('owner = ?', principal.sub);
  if (query.task !== undefined) add('task = ?', query.task);
  if (query.queue !== undefined) {
    const lanes = core.lanes.ofQueue(query.queue).map((lane) => lane.id);
    add('lane IN (SELECT value FROM json_each(?))', JSON.stringify(lanes));
  }
  for (const label of query.labels ?? []) add('EXISTS (SELECT 1 FROM json_each(labels) WHERE value = ?)', label);
  if (query.worker !== undefined) {
    const held = core.leases.of(query.worker as WorkerId).map((lease) => lease.taskId);
    add('(worker = ? OR id IN (SELECT value FROM json_each(?)))', query.worker, JSON.stringify(held));
  }
  if (query.error !== undefined) add(`outcome IS NOT NULL AND ${errorType} = ?`, query.error);
  if (query.campaign_id !== undefined) add(`json_extract(spec, '$.parent.campaign_id') = ?`, query.campaign_id);
  if (query.workflow_id !== undefined) add(`json_extract(spec, '$.parent.workflow_id') = ?`, query.workflow_id);
  if (query.states !== undefined) {
    const each = query.states.map((state) => stateCondition(core, state));
    add(`(${each.map(({ term }) => term).join(' OR ')})`, ...each.flatMap((one) => one.values));
  }
  return { where: terms.join(' '), values };
}

function stateCondition(core: Core, state: TaskState): { term: string; values: SqlValue[] } {
  if (isFinal(state)) return { term: 'state = ?', values: [state] };
  const leased = [...core.leases.all()];
  const inState = leased.filter((lease) => visibleState({ state: 'PENDING' }, lease) === state);
  const ids = (leases: typeof leased): string => JSON.stringify(leases.map((lease): TaskId => lease.taskId));
  return {
    term: '(state = ? AND id NOT IN (SELECT value FROM json_each(?)) OR id IN (SELECT value FROM json_each(?)))',
    values: [state, ids(leased), ids(inState)],
  };
}
