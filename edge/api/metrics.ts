import type { BrokerStats } from '../broker/rpc.ts';

interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly { labels: Readonly<Record<string, string>>; value: number }[];
}

/** The exposition format of Prometheus, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
export function prometheusText(shards: readonly BrokerStats[]): string {
  return metricsOf(shards).map(writeMetric).join('');
}

function metricsOf(shards: readonly BrokerStats[]): Metric[] {
  const perShard = (value: (stats: BrokerStats) => number): Metric['samples'] =>
    shards.map((stats) => ({ labels: { shard: String(stats.shard) }, value: value(stats) }));
  const perQueue = (value: (queue: BrokerStats['queues'][number]) => number): Metric['samples'] =>
    shards.flatMap((stats) =>
      stats.queues.map((queue) => ({
        labels: { shard: String(stats.shard), queue: queue.queue },
        value: value(queue),
      })),
    );
  const perOutcome = (value: (outcome: BrokerStats['finished'][number]) => number): Metric['samples'] =>
    shards.flatMap((stats) =>
      stats.finished.map((outcome) => ({
        labels: { shard: String(stats.shard), task: outcome.task, state: outcome.state },
        value: value(outcome),
      })),
    );
  return [
    counter(
      'tabgrid_tasks_finished_total',
      'Final tasks.',
      perOutcome(({ count }) => count),
    ),
    counter(
      'tabgrid_task_runtime_seconds_total',
      'Seconds of the attempts that ended tasks.',
      perOutcome(({ runtime_seconds: seconds }) => seconds),
    ),
    gauge(
      'tabgrid_queue_waiting',
      'Tasks that are ready to be claimed.',
      perQueue(({ waiting }) => waiting),
    ),
    gauge(
      'tabgrid_queue_scheduled',
      'Tasks that wait for their time.',
      perQueue(({ scheduled }) => scheduled),
    ),
    gauge(
      'tabgrid_queue_running',
      'Tasks that workers hold.',
      perQueue(({ running }) => running),
    ),
    gauge(
      'tabgrid_queue_oldest_age_seconds',
      'How long the oldest ready task has waited.',
      perQueue(({ oldest_age: seconds }) => seconds ?? 0),
    ),
    gauge(
      'tabgrid_workers_online',
      'Connected workers.',
      perShard((stats) => stats.workers_online),
    ),
    counter(
      'tabgrid_events_total',
      'Events in the log.',
      perShard((stats) => stats.event_seq),
    ),
    gauge(
      'tabgrid_database_bytes',
      'Size of the shard’s database.',
      perShard((stats) => stats.database_bytes),
    ),
  ];
}

function counter(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, type: 'counter', help, samples };
}

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, type: 'gauge', help, samples };
}

function writeMetric({ name, type, help, samples }: Metric): string {
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return `${name}{${pairs.join(',')}} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
