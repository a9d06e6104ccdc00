import { limits, type Principal, type TaskId, type TaskView, type WorkerView } from '#protocol';
import { edgeWorker, type Core } from './core.ts';
import { viewQueues } from './flow/queue-views.ts';
import type { ShardHoldings, TaskPage, TaskQuery } from './rpc.ts';
import { ownTask } from './ownership.ts';
import { taskView, type TaskArguments, type TaskRecord } from './task-record.ts';
import { TaskSearch } from './task-search.ts';
import { workerView } from './worker-table.ts';

/** What can be read. None of it changes anything. */

export function viewTask(core: Core, principal: Principal, id: TaskId): TaskView {
  const [view] = viewTasks(core, [ownTask(core.tasks.read(id), principal, id)]);
  if (view === undefined) throw new Error('a task without a view');
  return view;
}

function viewTasks(core: Core, records: readonly TaskRecord[]): TaskView[] {
  const texts = core.tasks.argumentsOf(records.map((record) => record.id));
  return records.map((record) => {
    const given = JSON.parse(texts.get(record.id) ?? '{"args":[],"kwargs":{}}') as TaskArguments;
    return taskView(record, core.lanes.queueOf(record.lane), given, core.leases.get(record.id));
  });
}

/** Tasks whose arguments are read at a time. */
const viewsAtATime = 50;

/** Views as they are wanted: whoever has enough stops, and the rest is never read. */
export function* viewsInTurn(core: Core, records: readonly TaskRecord[]): Generator<TaskView, void, undefined> {
  for (let at = 0; at < records.length; at += viewsAtATime)
    yield* viewTasks(core, records.slice(at, at + viewsAtATime));
}

/** How much of a page a task takes, roughly. */
export function charsOf({ args, kwargs, result }: TaskView): number {
  return JSON.stringify([args, kwargs, result]).length;
}

/** Steps of one request: a rare filter answers with a short page instead of a long wait. */
const maxSteps = 10;
/** A page’s arguments and results together, roughly: what is over it comes with the next page. */
export const maxPageChars = 8_000_000;

/** History, newest first unless the query says otherwise. */
export function listTasks(core: Core, principal: Principal, query: TaskQuery): TaskPage {
  const limit = Math.min(query.limit ?? limits.defaultPageSize, limits.maxPageSize);
  const search = new TaskSearch(core, principal, query);
  const found: TaskView[] = [];
  let cursor = query.cursor ?? null;
  let chars = 0;
  for (let steps = 0; steps < maxSteps; steps++) {
    const { records, next } = search.step(cursor, limit - found.length);
    for (const view of viewsInTurn(core, records)) {
      found.push(view);
      chars += charsOf(view);
      if (found.length >= limit || chars > maxPageChars) return { tasks: found, next_cursor: view.task_id };
    }
    if (next === null) return { tasks: found, next_cursor: null };
    cursor = next;
  }
  return { tasks: found, next_cursor: cursor };
}

/** What this shard still has. */
export function viewHoldings(core: Core): ShardHoldings {
  let unfinished = 0;
  for (const { waiting, scheduled, running } of viewQueues(core)) unfinished += waiting + scheduled + running;
  const has = (table: 'tasks' | 'outbox') =>
    core.database.one<{ has: number }>(`SELECT EXISTS (SELECT 1 FROM ${table}) AS has`).has === 1;
  return {
    unfinished,
    has_tasks: has('tasks'),
    has_unsent: has('outbox'),
    workers_online: core.sessions.size,
    database_bytes: core.database.sizeBytes,
  };
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
