import { standardQueues } from '#catalog';
import type { TaskId } from '#protocol';
import { idTimeMs } from '../../lib/ids.ts';
import type { Core } from '../core.ts';
import type { QueueView } from '../rpc.ts';

/** The queues that have settings, tasks, or exist from the start. */
export function viewQueues(core: Core): QueueView[] {
  core.tasks.flush();
  const views = new Map<string, QueueView>();
  const viewOf = (queue: string): QueueView => {
    let view = views.get(queue);
    if (view === undefined) {
      const settings = core.flow.queue(queue);
      views.set(queue, (view = { queue, waiting: 0, scheduled: 0, running: 0, oldest_age: null, ...settings }));
    }
    return view;
  };
  for (const queue of [...standardQueues, ...core.flow.queueNames()]) viewOf(queue);
  for (const { id, kind } of core.lanes.all()) {
    const { waiting, scheduled, running } = core.counts.of(id);
    const view = viewOf(kind.queue);
    view.waiting += waiting;
    view.scheduled += scheduled;
    view.running += running;
  }
  for (const { lane, id } of oldestReady(core)) {
    const view = viewOf(core.lanes.queueOf(lane));
    const age = Math.max(0, core.clock.now() - idTimeMs(id)) / 1000;
    if (view.waiting > 0) view.oldest_age = Math.max(view.oldest_age ?? 0, age);
  }
  return [...views.values()];
}

/** One of them. */
export function viewQueue(core: Core, queue: string): QueueView {
  const view = viewQueues(core).find((one) => one.queue === queue);
  if (view === undefined) throw new Error(`there is no queue ${queue}`);
  return view;
}

/** The oldest ready task of each lane and priority, by leaping through the index; those out on lease are passed over. */
function oldestReady(core: Core): { lane: number; id: TaskId }[] {
  const leased = core.leases.taskIds();
  const nextLane = (condition: string): string =>
    `(SELECT min(lane) FROM tasks INDEXED BY tasks_ready WHERE queued = 1 ${condition})`;
  return core.database
    .all<{ lane: number; id: string }>(
      `WITH RECURSIVE
         leap(lane) AS (
           SELECT ${nextLane('')} UNION ALL SELECT ${nextLane('AND lane > leap.lane')} FROM leap WHERE leap.lane IS NOT NULL),
         oldest AS (
           SELECT leap.lane, (
             SELECT id FROM tasks INDEXED BY tasks_ready
             WHERE queued = 1 AND lane = leap.lane AND priority = priorities.value
               AND id NOT IN (SELECT value FROM json_each(?1)) ORDER BY id LIMIT 1) AS id
           FROM leap, json_each('[0,1,2,3,4,5,6,7,8,9]') AS priorities WHERE leap.lane IS NOT NULL)
       SELECT lane, id FROM oldest WHERE id IS NOT NULL`,
      leased,
    )
    .map(({ lane, id }) => ({ lane, id: id as TaskId }));
}
