import type { EventType, FinalState, WorkerView } from '#protocol';
import type { BrokerStats, QueueView, TaskTallies } from '../broker/rpc.ts';
import { runtimeBounds } from '../broker/tallies.ts';
import { counter, exposition, gauge, histogram, type Metric, type Sample } from '../lib/prometheus.ts';

/** What the grid tells Prometheus. Nothing of it is counted from tasks, so that a scrape costs the same however many there were. */
export function prometheusText(shards: readonly BrokerStats[], workers: readonly WorkerView[]): string {
  return exposition([
    ...taskMetrics(shards),
    ...queueMetrics(shards),
    ...workerMetrics(workers),
    ...shardMetrics(shards),
  ]);
}

const finalTypes = {
  'task-succeeded': 'SUCCESS',
  'task-failed': 'FAILURE',
  'task-revoked': 'REVOKED',
} as const satisfies Partial<Record<EventType, FinalState>>;

function stateOf(type: EventType): FinalState | undefined {
  return (finalTypes as Partial<Record<EventType, FinalState>>)[type];
}

function taskMetrics(shards: readonly BrokerStats[]): Metric[] {
  /** A sample of each tally of each shard, or none where the labels are undefined. */
  const samples = <Tally extends { count: number }>(
    tallies: (all: TaskTallies) => readonly Tally[],
    labels: (tally: Tally) => Record<string, string> | undefined,
  ): Sample[] =>
    shards.flatMap(({ shard, tallies: all }) =>
      tallies(all).flatMap((tally) => {
        const named = labels(tally);
        return named === undefined ? [] : [{ labels: { shard: String(shard), ...named }, value: tally.count }];
      }),
    );
  return [
    counter(
      'tabgrid_task_events_total',
      'Events of tasks, by type.',
      samples(
        (all) => all.events,
        ({ type, task, queue }) => ({ type, task, queue }),
      ),
    ),
    counter(
      'tabgrid_tasks_finished_total',
      'Final tasks.',
      samples(
        (all) => all.events,
        ({ type, task, queue }) => {
          const state = stateOf(type);
          return state === undefined ? undefined : { task, queue, state };
        },
      ),
    ),
    counter(
      'tabgrid_task_retries_total',
      'Attempts after which another one followed, by reason: an error code, or released.',
      samples(
        (all) => all.retries,
        ({ task, reason }) => ({ task, reason }),
      ),
    ),
    counter(
      'tabgrid_task_failures_total',
      'Tasks that failed for good, by the code of their error.',
      samples(
        (all) => all.failures,
        ({ task, error }) => ({ task, error }),
      ),
    ),
    counter(
      'tabgrid_leases_lost_total',
      'Leases that ran out because their worker was not heard of.',
      samples(lostLeases, ({ task }) => ({ task })),
    ),
    histogram(
      'tabgrid_task_runtime_seconds',
      'Runtime of the attempts that ended tasks.',
      runtimeBounds,
      shards.flatMap(({ shard, tallies }) =>
        tallies.runtimes.map(({ task, state, buckets, seconds }) => ({
          labels: { shard: String(shard), task, state },
          buckets,
          sum: seconds,
        })),
      ),
    ),
  ];
}

function lostLeases({ retries, failures }: TaskTallies): { task: string; count: number }[] {
  const lost = new Map<string, number>();
  const add = (task: string, count: number) => lost.set(task, (lost.get(task) ?? 0) + count);
  for (const { task, reason, count } of retries) if (reason === 'worker_lost') add(task, count);
  for (const { task, error, count } of failures) if (error === 'worker_lost') add(task, count);
  return [...lost].map(([task, count]) => ({ task, count }));
}

function queueMetrics(shards: readonly BrokerStats[]): Metric[] {
  const samples = (value: (queue: QueueView) => number): Sample[] =>
    shards.flatMap(({ shard, queues }) =>
      queues.map((queue) => ({ labels: { shard: String(shard), queue: queue.queue }, value: value(queue) })),
    );
  return [
    gauge(
      'tabgrid_queue_waiting',
      'Tasks that are ready to be claimed.',
      samples(({ waiting }) => waiting),
    ),
    gauge(
      'tabgrid_queue_scheduled',
      'Tasks that wait for their time.',
      samples(({ scheduled }) => scheduled),
    ),
    gauge(
      'tabgrid_queue_running',
      'Tasks that workers hold.',
      samples(({ running }) => running),
    ),
    gauge(
      'tabgrid_queue_oldest_age_seconds',
      'How long the oldest ready task has waited.',
      samples(({ oldest_age: seconds }) => seconds ?? 0),
    ),
  ];
}

function workerMetrics(workers: readonly WorkerView[]): Metric[] {
  const online = workers.filter(({ state }) => state === 'online');
  const kinds = new Map<string, { labels: Record<string, string>; members: WorkerView[] }>();
  for (const worker of online) {
    const { runtime } = worker.capabilities;
    const trusted = String(worker.trusted);
    const kind = kinds.get(`${runtime} ${trusted}`) ?? { labels: { runtime, trusted }, members: [] };
    kind.members.push(worker);
    kinds.set(`${runtime} ${trusted}`, kind);
  }
  const perKind = (value: (worker: WorkerView) => number): Sample[] =>
    [...kinds.values()].map(({ labels, members }) => ({
      labels,
      value: members.reduce((sum, worker) => sum + value(worker), 0),
    }));
  // Tabs come and go by the thousand; a series for each would be without end.
  const lasting = online.filter(({ capabilities }) => capabilities.runtime === 'node');
  const perWorker = (value: (worker: WorkerView) => number): Sample[] =>
    lasting.map((worker) => ({ labels: { worker: worker.worker_id, name: worker.name }, value: value(worker) }));
  return [
    gauge(
      'tabgrid_workers_online',
      'Connected workers.',
      perKind(() => 1),
    ),
    gauge(
      'tabgrid_worker_slots',
      'Tasks that the connected workers compute at a time.',
      perKind(({ concurrency }) => concurrency),
    ),
    gauge(
      'tabgrid_worker_tasks_held',
      'Tasks that the connected workers hold.',
      perKind(({ active }) => active),
    ),
    gauge(
      'tabgrid_worker_up',
      'Connected Node workers, one by one.',
      perWorker(() => 1),
    ),
    gauge(
      'tabgrid_worker_active',
      'Tasks that each Node worker holds.',
      perWorker(({ active }) => active),
    ),
    counter(
      'tabgrid_worker_busy_seconds_total',
      'Seconds of computing of each Node worker.',
      perWorker(({ busy_seconds: seconds }) => seconds),
    ),
  ];
}

function shardMetrics(shards: readonly BrokerStats[]): Metric[] {
  const samples = (value: (stats: BrokerStats) => number): Sample[] =>
    shards.map((stats) => ({ labels: { shard: String(stats.shard) }, value: value(stats) }));
  return [
    counter(
      'tabgrid_events_total',
      'Events in the log: the number of the newest.',
      samples((stats) => stats.event_seq),
    ),
    gauge(
      'tabgrid_database_bytes',
      'Size of the shard’s database.',
      samples((stats) => stats.database_bytes),
    ),
    counter(
      'tabgrid_database_rows_written_total',
      'Rows written since the object was last built, index entries included.',
      samples((stats) => stats.rows_written),
    ),
    counter(
      'tabgrid_database_rows_read_total',
      'Rows read since the object was last built.',
      samples((stats) => stats.rows_read),
    ),
  ];
}
