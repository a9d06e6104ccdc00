import {
  isAdmin,
  isFinal,
  limits,
  TabgridError,
  type Principal,
  type TaskId,
  type TaskView,
  type WorkerView,
} from '#protocol';
import { standardQueues } from '#catalog';
import { firstIdAt, idTimeMs } from '../lib/ids.ts';
import type { SqlValue } from '../lib/sql.ts';
import { edgeWorker, type Core } from './core.ts';
import type { QueueView, TaskPage, TaskQuery } from './rpc.ts';
import { ownTask } from './ownership.ts';
import { taskView, visibleState, type TaskArguments, type TaskRecord } from './task-record.ts';
import { taskColumns } from './task-row.ts';
import { workerView } from './worker-table.ts';

/** What can be read. None of it changes anything. */

export function viewTask(core: Core, principal: Principal, id: TaskId): TaskView {
  const [view] = viewsOf(core, [ownTask(core.tasks.read(id), principal, id)]);
  if (view === undefined) throw new Error('a task without a view');
  return view;
}

function viewsOf(core: Core, records: readonly TaskRecord[]): TaskView[] {
  const texts = core.tasks.argumentsOf(records.map((record) => record.id));
  return records.map((record) => {
    const given = JSON.parse(texts.get(record.id) ?? '{"args":[],"kwargs":{}}') as TaskArguments;
    return taskView(record, core.lanes.queueOf(record.lane), given, core.leases.get(record.id));
  });
}

/** Rows that one step of a search looks at, and steps of one request: a rare filter answers with a short page instead of a long wait. */
const windowRows = 5_000;
const maxWindows = 10;
/** A page’s arguments and results together, roughly: what is over it comes with the next page. */
const maxPageChars = 8_000_000;

/** History, newest first: ids sort by time. */
export function listTasks(core: Core, principal: Principal, query: TaskQuery): TaskPage {
  const limit = Math.min(query.limit ?? limits.defaultPageSize, limits.maxPageSize);
  const { where, values } = conditions(core, principal, query);
  const floor = query.since_ms === undefined ? '' : firstIdAt(core.shard, query.since_ms);
  const found: TaskView[] = [];
  let before: string = query.cursor === undefined ? '~' : parseCursor(core, query.cursor);
  let chars = 0;
  for (let window = 0; window < maxWindows; window++) {
    const last = core.database.maybe<{ id: string }>(
      'SELECT id FROM tasks WHERE id < ? AND id >= ? ORDER BY id DESC LIMIT 1 OFFSET ?',
      before,
      floor,
      windowRows - 1,
    );
    const rows = core.database.raw(
      `SELECT ${taskColumns} FROM tasks WHERE id < ? AND id >= ? ${where} ORDER BY id DESC LIMIT ?`,
      before,
      last?.id ?? floor,
      ...values,
      limit - found.length,
    );
    for (const view of viewsOf(
      core,
      rows.map((row) => core.tasks.fromRow(row)),
    )) {
      found.push(view);
      chars += JSON.stringify([view.args, view.kwargs, view.result]).length;
      if (found.length >= limit || chars > maxPageChars) return { tasks: found, next_cursor: view.task_id };
    }
    if (last === undefined) return { tasks: found, next_cursor: null };
    before = last.id;
  }
  return { tasks: found, next_cursor: before };
}

function parseCursor(core: Core, cursor: string): string {
  if (new RegExp(`^${core.shard}-[0-9a-z]{26}$`).test(cursor)) return cursor;
  throw new TabgridError('invalid_request', 'cursor: expected the next_cursor of a page before', {
    details: { faults: [{ path: 'cursor', message: 'expected the next_cursor of a page before' }] },
  });
}

/** The conditions on rows. RECEIVED and STARTED are not in the rows but in the leases. */
function conditions(core: Core, principal: Principal, query: TaskQuery): { where: string; values: SqlValue[] } {
  const terms: string[] = [];
  const values: SqlValue[] = [];
  const add = (term: string, value: SqlValue): void => {
    terms.push(`AND ${term}`);
    values.push(value);
  };
  if (!isAdmin(principal)) add('owner = ?', principal.sub);
  if (query.task !== undefined) add('task = ?', query.task);
  if (query.queue !== undefined) {
    const lanes = core.lanes.ofQueue(query.queue).map((lane) => lane.id);
    add('lane IN (SELECT value FROM json_each(?))', JSON.stringify(lanes));
  }
  if (query.label !== undefined) add('EXISTS (SELECT 1 FROM json_each(labels) WHERE value = ?)', query.label);
  if (query.worker !== undefined) {
    const held = [...core.leases.all()].filter((lease) => lease.workerId === query.worker).map((lease) => lease.taskId);
    add('(worker = ? OR id IN (SELECT value FROM json_each(?)))', query.worker);
    values.push(JSON.stringify(held));
  }
  const { state } = query;
  if (state !== undefined) {
    const leased = [...core.leases.all()];
    const inState = leased.filter((lease) => visibleState({ state: 'PENDING' }, lease) === state);
    const ids = (leases: typeof leased): string => JSON.stringify(leases.map((lease) => lease.taskId));
    if (isFinal(state)) add('state = ?', state);
    else {
      add(
        '(state = ? AND id NOT IN (SELECT value FROM json_each(?)) OR id IN (SELECT value FROM json_each(?)))',
        state,
      );
      values.push(ids(leased), ids(inState));
    }
  }
  return { where: terms.join(' '), values };
}

export function viewQueues(core: Core): QueueView[] {
  const nowMs = core.clock.now();
  const queues = new Map<string, QueueView>();
  const queue = (name: string): QueueView => {
    let view = queues.get(name);
    if (view === undefined) {
      view = { queue: name, waiting: 0, scheduled: 0, running: 0, oldest_age: null };
      queues.set(name, view);
    }
    return view;
  };
  standardQueues.forEach(queue);
  const leased = JSON.stringify([...core.leases.all()].map((lease) => lease.taskId));
  type Waiting = { lane: number; count: number; oldest: string };
  const waiting = core.database.all<Waiting>(
    `SELECT lane, count(*) AS count, min(id) AS oldest FROM tasks INDEXED BY tasks_ready
     WHERE queued = 1 AND id NOT IN (SELECT value FROM json_each(?)) GROUP BY lane`,
    leased,
  );
  for (const row of waiting) {
    const view = queue(core.lanes.queueOf(row.lane));
    const age = Math.max(0, nowMs - idTimeMs(row.oldest as TaskId)) / 1000;
    view.waiting += row.count;
    view.oldest_age = Math.max(view.oldest_age ?? 0, age);
  }
  const scheduled = core.database.all<{ lane: number; count: number }>(
    'SELECT lane, count(*) AS count FROM tasks INDEXED BY tasks_due WHERE due_ms IS NOT NULL GROUP BY lane',
  );
  for (const row of scheduled) queue(core.lanes.queueOf(row.lane)).scheduled += row.count;
  for (const lease of core.leases.all()) queue(core.lanes.queueOf(lease.lane)).running++;
  return [...queues.values()];
}

export function viewWorkers(core: Core): WorkerView[] {
  const nowMs = core.clock.now();
  return [...core.workers.all()].map((worker) => {
    const session = core.sessions.byWorker(worker.workerId);
    const seenMs = session === undefined ? worker.seenMs : core.sessions.seenMs(session);
    const isOnline = worker.workerId === edgeWorker.id || (worker.online && seenMs + core.config.leaseMs > nowMs);
    return workerView(worker, isOnline, seenMs, core.leases.countOf(worker.workerId));
  });
}
