import { isoTime, type EventType, type WorkerId, type WorkerView } from '#protocol';
import type { BrokerStats } from '../broker/rpc.ts';
import type { Sample } from './rpc.ts';

/** One row for each worker: what several shards know of it is added up, and the newest word counts for the rest. */
export function mergeWorkers(views: readonly WorkerView[]): WorkerView[] {
  const byId = new Map<WorkerId, WorkerView>();
  for (const view of views) {
    const other = byId.get(view.worker_id);
    byId.set(view.worker_id, other === undefined ? view : add(other, view));
  }
  return [...byId.values()].sort((a, b) => (a.worker_id < b.worker_id ? -1 : 1));
}

function add(a: WorkerView, b: WorkerView): WorkerView {
  const [newer, older] = a.last_heartbeat_at >= b.last_heartbeat_at ? [a, b] : [b, a];
  return {
    ...newer,
    state: a.state === 'online' || b.state === 'online' ? 'online' : 'offline',
    connected_at: older.connected_at < newer.connected_at ? older.connected_at : newer.connected_at,
    active: a.active + b.active,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    busy_seconds: a.busy_seconds + b.busy_seconds,
  };
}

/** The grid as one line of its history. */
export function sampleOf(stats: readonly BrokerStats[], workersOnline: number, nowMs: number): Sample {
  const queues = stats.flatMap((shard) => shard.queues);
  const told = (type: EventType): number =>
    sum(
      stats.flatMap((shard) => shard.tallies.events).filter((tally) => tally.type === type),
      (tally) => tally.count,
    );
  return {
    time: isoTime(nowMs),
    waiting: sum(queues, (queue) => queue.waiting),
    scheduled: sum(queues, (queue) => queue.scheduled),
    running: sum(queues, (queue) => queue.running),
    workers_online: workersOnline,
    succeeded: told('task-succeeded'),
    failed: told('task-failed'),
    revoked: told('task-revoked'),
  };
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
