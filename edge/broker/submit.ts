import {
  isFinal,
  isoTime,
  TabgridError,
  type JsonObject,
  type Principal,
  type Submitted,
  type TaskId,
} from '#protocol';
import { taskEvent } from './attempts.ts';
import type { Core } from './core.ts';
import { checkRoom } from './flow/room.ts';
import { conflict, requestKey, taskDigest, taskKey, type IdempotencyKeys } from './idempotency.ts';
import type { NewTask, Recalled, RecallQuery, RequestKey } from './rpc.ts';
import { ownTask } from './ownership.ts';
import { retentionPeriodMs } from './schedule.ts';
import { newRecord, visibleState, type TaskArguments, type TaskRecord } from './task-record.ts';

/**
 * Takes tasks in: all or none. Refuses before it writes anything.
 * @param known of each task, the answer that another shard has given under its key.
 */
export function submit(
  core: Core,
  owner: string,
  tasks: readonly NewTask[],
  request?: RequestKey,
  known: readonly (Submitted | null)[] = [],
): Submitted[] {
  const { keys } = core;
  if (request !== undefined) {
    const answer = keys.recall<Submitted[]>(owner, requestKey(request.key), request.bodyDigest);
    if (answer !== undefined) return answer;
  }
  const repeats = recallTasks(keys, owner, tasks);
  const plan = tasks.map((task, index) => ({
    task,
    index,
    repeat: repeats[index] ?? known[index] ?? undefined,
    key: keyOf(task, tasks),
  }));
  const fresh = plan.filter(
    ({ repeat, key, index }) => repeat === undefined && (key === null || key.firstIndex === index),
  );
  checkRoom(
    core,
    fresh.map(({ task }) => task),
  );
  const made = insert(
    core,
    fresh.map(({ task }) => task),
  );
  // By place: equal tasks may be one object.
  const answers = new Map(fresh.map(({ index }, at) => [index, made[at]]));
  const submitted = plan.map(({ index, repeat, key }) => {
    const answer = repeat ?? answers.get(key?.firstIndex ?? index);
    if (answer === undefined) throw new Error('a submission without an answer');
    return answer;
  });
  for (const { key, index } of fresh) {
    const answer = answers.get(index);
    if (key !== null && answer !== undefined) keys.remember(owner, key.key, key.digest, answer, answer.task_id);
  }
  // Where all were known, their own keys tell a repeat.
  const first = known.some((answer) => answer !== null) ? made[0] : submitted[0];
  if (request !== undefined && first !== undefined) {
    keys.remember(owner, requestKey(request.key), request.bodyDigest, submitted, first.task_id);
  }
  return submitted;
}

/** What was answered here under these keys. @throws TabgridError `idempotency_conflict` */
export function recall(core: Core, owner: string, { request, tasks }: RecallQuery): Recalled {
  const { keys } = core;
  for (const task of tasks) if (task !== null) keys.expect(owner, taskKey(task.key));
  const recalled = {
    request: (request && keys.recall<Submitted[]>(owner, requestKey(request.key), request.bodyDigest)) ?? null,
    tasks: tasks.map((task) => (task && keys.recall<Submitted>(owner, taskKey(task.key), task.digest)) ?? null),
  };
  // It was no commit.
  keys.settle();
  return recalled;
}

/** The answers of the first time for tasks whose key was used before. */
function recallTasks(keys: IdempotencyKeys, owner: string, tasks: readonly NewTask[]): (Submitted | undefined)[] {
  for (const { idempotency_key: key } of tasks) if (key !== null) keys.expect(owner, taskKey(key));
  return tasks.map((task) =>
    task.idempotency_key === null
      ? undefined
      : keys.recall<Submitted>(owner, taskKey(task.idempotency_key), taskDigest(task)),
  );
}

/** A task’s own key, and the first task of the request that has the same. */
function keyOf(task: NewTask, tasks: readonly NewTask[]): { key: string; digest: string; firstIndex: number } | null {
  if (task.idempotency_key === null) return null;
  const firstIndex = tasks.findIndex((other) => other.idempotency_key === task.idempotency_key);
  const digest = taskDigest(task);
  const first = tasks[firstIndex];
  if (first !== undefined && taskDigest(first) !== digest) throw conflict();
  return { key: taskKey(task.idempotency_key), digest, firstIndex };
}

/** Writes new tasks and makes them ready. Those whose id exists already are left alone. */
export function insertNew(core: Core, tasks: readonly NewTask[]): void {
  const present = core.tasks.exists(tasks.flatMap((task) => task.task_id ?? []));
  insert(
    core,
    tasks.filter((task) => task.task_id === undefined || !present.has(task.task_id)),
  );
}

function insert(core: Core, tasks: readonly NewTask[]): Submitted[] {
  const nowMs = core.clock.now();
  const rows = tasks.map((task): { record: TaskRecord; arguments: TaskArguments } => {
    const id = task.task_id ?? (`${core.shard}-${core.ids.next()}` as TaskId);
    const lane = core.lanes.of({
      queue: task.queue,
      needs: task.needs,
      edge: task.edge,
      owner: task.owner,
      concurrency: task.concurrency ?? null,
    });
    return {
      record: newRecord(id, lane.id, task, nowMs),
      arguments: { args: task.args, kwargs: task.kwargs },
    };
  });
  core.tasks.insert(rows);
  for (const { record } of rows) {
    core.events.add(taskEvent(record, 'task-sent', { data: sentData(core, record) }));
    if (record.spec.held) core.events.add(taskEvent(record, 'task-started'));
    else if (record.dueMs === null) core.ready.add(record.lane, record);
    else core.alarms.setBy('due', record.dueMs);
    if (record.expiresMs !== null && !record.spec.held) core.alarms.setBy('due', record.expiresMs);
  }
  if (rows.length > 0) core.alarms.setBy('retention', nowMs + retentionPeriodMs(core));
  return rows.map(({ record }) => ({
    task_id: record.id,
    state: record.state,
    queue: core.lanes.queueOf(record.lane),
  }));
}

/** What `task-sent` tells beside what every event of a task does. */
function sentData(core: Core, { lane, priority, expiresMs, spec }: TaskRecord): JsonObject {
  return {
    queue: core.lanes.queueOf(lane),
    priority,
    ...(spec.eta_ms === null ? {} : { eta: isoTime(spec.eta_ms) }),
    ...(expiresMs === null ? {} : { expires: isoTime(expiresMs) }),
    ...(spec.retry_of === null ? {} : { retry_of: spec.retry_of }),
  };
}

/** Runs a final task again, as a new one. */
export function retryTask(core: Core, principal: Principal, id: TaskId, request?: RequestKey): Submitted {
  const record = ownTask(core.tasks.get(id), principal, id);
  const state = visibleState(record, core.leases.get(id));
  if (!isFinal(state)) throw new TabgridError('conflict', `task ${id} is ${state}; only a final one can be run again`);
  if (record.spec.held) {
    throw new TabgridError('conflict', `task ${id} stands for something that is started by a request of its own`);
  }
  const [submitted] = submit(core, record.owner, [repeatOf(core, record)], request);
  if (submitted === undefined) throw new Error('a task was submitted without an answer');
  return submitted;
}

/** What is submitted to run a task again: the same, without its times. */
export function repeatOf(core: Core, record: TaskRecord): NewTask {
  const given = JSON.parse(core.tasks.argumentsOf([record.id]).get(record.id) ?? '{}') as TaskArguments;
  const lane = core.lanes.get(record.lane);
  const { spec } = record;
  return {
    task: record.task,
    ...given,
    needs: [...lane.kind.needs],
    edge: lane.kind.edge,
    queue: lane.kind.queue,
    ...(lane.concurrency === null ? {} : { concurrency: lane.concurrency }),
    priority: record.priority,
    eta_ms: null,
    expires_ms: null,
    max_retries: spec.max_retries,
    retry: spec.retry,
    ...(spec.retry_on === undefined ? {} : { retry_on: spec.retry_on }),
    ...(spec.dont_retry_on === undefined ? {} : { dont_retry_on: spec.dont_retry_on }),
    soft_time_limit_ms: spec.soft_time_limit_ms,
    time_limit_ms: spec.time_limit_ms,
    ...(spec.own_time_limits === true ? { own_time_limits: true } : {}),
    ...(spec.items === undefined ? {} : { items: spec.items }),
    labels: [...record.labels],
    owner: record.owner,
    parent: spec.parent,
    retry_of: record.id,
    idempotency_key: null,
  };
}
