import type { EventType, GridEvent, TaskView } from '#protocol';
import type { Sample } from './samples.ts';

/** What the event log must tell, whatever has happened. Each answers with what does not hold, in words. */

/** @param events of one shard, oldest first */
export function holes(events: readonly GridEvent[]): string[] {
  return events.flatMap(({ seq }, index) => (seq === index + 1 ? [] : [`event ${seq} is the ${index + 1}th`]));
}

const endings: Partial<Record<EventType, TaskView['state']>> = {
  'task-succeeded': 'SUCCESS',
  'task-failed': 'FAILURE',
  'task-revoked': 'REVOKED',
};

/** Each task is sent once, ends once and as its row says, and nothing happens to it after that. */
export function lives(events: readonly GridEvent[], tasks: ReadonlyMap<string, TaskView>): string[] {
  const told = new Map<string, EventType[]>();
  for (const { type, task_id: id } of events) {
    if (id === undefined) continue;
    const types = told.get(id);
    if (types === undefined) told.set(id, [type]);
    else types.push(type);
  }
  return [...tasks.values()].flatMap(({ task_id: id, state }) => {
    const types = told.get(id) ?? [];
    const [last] = types.slice(-1);
    const isWhole =
      types.indexOf('task-sent') === 0 &&
      types.lastIndexOf('task-sent') === 0 &&
      types.filter((type) => type in endings).length === 1 &&
      last !== undefined &&
      endings[last] === state;
    return isWhole ? [] : [`${id} is ${state}, and its events are ${types.join(' ')}`];
  });
}

/** What is open of a task while one walks through the log. */
interface Attempts {
  last: number;
  holder: string | null;
}

/** Attempts come in their order, each after the one before is over. */
export function attempts(events: readonly GridEvent[]): string[] {
  const byTask = new Map<string, Attempts>();
  return events.flatMap(({ type, task_id: id, worker, data, seq }) => {
    if (id === undefined) return [];
    const task = byTask.get(id) ?? { last: 0, holder: null };
    byTask.set(id, task);
    if (type === 'task-retried' || type in endings) task.holder = null;
    if (type !== 'task-received') return [];
    const { attempt } = data as { attempt: number };
    const fault = `event ${seq}: attempt ${attempt} of ${id} goes to ${worker}, after ${task.last} of ${task.holder}`;
    const isRight = attempt === task.last + 1 && task.holder === null;
    Object.assign(task, { last: attempt, holder: worker });
    return isRight ? [] : [fault];
  });
}

/** Nothing begins before its time. */
export function earlyStarts(events: readonly GridEvent[], tasks: ReadonlyMap<string, TaskView>): string[] {
  return events.flatMap(({ type, task_id: id, time }) => {
    const eta = tasks.get(id ?? '')?.eta;
    if (type !== 'task-received' || eta === null || eta === undefined) return [];
    return Date.parse(time) >= Date.parse(eta) ? [] : [`${id} was begun at ${time}, before ${eta}`];
  });
}

/** At no time do more tasks of one key run than its limit allows. */
export function crowds(events: readonly GridEvent[], samples: ReadonlyMap<string, Sample>): string[] {
  const running = new Map<string, Set<string>>();
  return events.flatMap(({ type, task_id: id = '', seq }) => {
    const { concurrency_key: key, concurrency_limit: limit = 0 } = samples.get(id)?.signature ?? {};
    if (key === undefined) return [];
    const ids = running.get(key) ?? new Set();
    running.set(key, ids);
    if (type === 'task-retried' || type in endings) ids.delete(id);
    if (type !== 'task-received') return [];
    ids.add(id);
    return ids.size <= limit ? [] : [`event ${seq}: ${ids.size} tasks with the key ${key} run, of ${limit}`];
  });
}

/** Each workflow tells its end once. */
export function workflowEnds(events: readonly GridEvent[], ids: Iterable<string>): string[] {
  const ends = events.filter(({ type }) => type === 'workflow-finished').map(({ workflow_id: id }) => id);
  return [...ids].flatMap((id) => {
    const times = ends.filter((end) => end === id).length;
    return times === 1 ? [] : [`${id} told its end ${times} times`];
  });
}

/** How often an attempt was followed by another one, by what became of it. */
export function retries(events: readonly GridEvent[]): Record<string, number> {
  const counts = { attempts_failed: 0, attempts_lost: 0, attempts_given_back: 0 };
  for (const { type, data } of events) {
    if (type !== 'task-retried') continue;
    const { reason } = data as { reason: string };
    if (reason === 'worker_lost') counts.attempts_lost++;
    else if (reason === 'released') counts.attempts_given_back++;
    else counts.attempts_failed++;
  }
  return counts;
}
