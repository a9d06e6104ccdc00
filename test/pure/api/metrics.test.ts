import { describe, expect, it } from 'vitest';
import type { EventType, Json, TaskId, WorkerId, WorkerView } from '#protocol';
import { prometheusText } from '../../../edge/api/metrics.ts';
import type { StoredEvent } from '../../../edge/broker/events.ts';
import type { BrokerStats } from '../../../edge/broker/rpc.ts';
import { Tallies } from '../../../edge/broker/tallies.ts';
import type { Database } from '../../../edge/lib/sql.ts';
import { parseExposition, type Family } from './exposition.ts';

/** The one row that tallies keep. */
function fakeDatabase(): Database {
  let value: string | undefined;
  const fake = {
    maybe: () => (value === undefined ? undefined : { value }),
    run: (_: string, text: string) => (value = text),
  };
  return fake as unknown as Database;
}

let seq = 0;
function event(type: EventType, data: Json = null, task = 'ping', queue = 'default'): StoredEvent {
  return {
    seq: ++seq,
    type,
    time: '2026-01-01T00:00:00.000Z',
    task_id: '0-x' as TaskId,
    task,
    queue,
    data,
    owner: 'a',
  };
}

function statsOf(tallies: Tallies, shard = 0): BrokerStats {
  return {
    shard,
    tallies: tallies.read(),
    queues: [
      {
        queue: 'default',
        waiting: 2,
        scheduled: 1,
        running: 3,
        oldest_age: 1.5,
        paused: false,
        rate_limit: null,
        max_length: null,
      },
    ],
    workers_online: 1,
    event_seq: 7,
    database_bytes: 4096,
    rows_written: 10,
    rows_read: 20,
  };
}

function worker(runtime: 'tab' | 'node', more: Partial<WorkerView> = {}): WorkerView {
  return {
    worker_id: runtime as WorkerId,
    name: `${runtime}@host`,
    owner: 'a',
    state: 'online',
    queues: ['default'],
    concurrency: 4,
    capabilities: { runtime, cores: 4, gpu: false, tasks: [], evaluators: [] },
    trusted: true,
    kernel_digest: '',
    connected_at: '',
    last_heartbeat_at: '',
    active: 3,
    succeeded: 0,
    failed: 0,
    busy_seconds: 2.5,
    ...more,
  };
}

const family = (families: Map<string, Family>, name: string): Family => {
  const found = families.get(name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

describe('metrics', () => {
  const lived = (): Tallies => {
    const tallies = new Tallies(fakeDatabase());
    tallies.hear([
      ...['task-sent', 'task-received', 'task-started'].map((type) => event(type as EventType)),
      event('task-retried', { reason: 'worker_lost', retries: 0 }),
      event('task-retried', { reason: 'released', retries: 0 }),
      event('task-succeeded', { runtime: 0.07 }),
      event('task-succeeded', { runtime: 90_000 }),
      event('task-failed', { runtime: 3, error: { type: 'worker_lost', message: 'm' } }),
      event('task-revoked', { runtime: 0 }, 'odd "task"\\', 'a\nb'),
      { ...event('worker-online'), task: undefined } as unknown as StoredEvent,
    ]);
    return tallies;
  };

  it('are text that a strict reader takes, whatever names tasks and queues have', () => {
    const families = parseExposition(prometheusText([statsOf(lived()), statsOf(lived(), 1)], [worker('node')]));
    expect(families.size).toBeGreaterThan(18);
    const { series } = family(families, 'tabgrid_tasks_finished_total');
    expect(series).toContainEqual({
      name: 'tabgrid_tasks_finished_total',
      labels: { shard: '1', task: 'odd "task"\\', queue: 'a\nb', state: 'REVOKED' },
      value: 1,
    });
  });

  it('count tasks by what became of them, retries and failures by their reasons, and lost leases', () => {
    const families = parseExposition(prometheusText([statsOf(lived())], []));
    const values = (name: string, label: string): Record<string, number> =>
      Object.fromEntries(
        family(families, name)
          .series.filter(({ labels }) => labels.task === 'ping')
          .map(({ labels, value }): [string, number] => [labels[label]!, value]),
      );
    expect(values('tabgrid_task_events_total', 'type')).toEqual({
      'task-sent': 1,
      'task-received': 1,
      'task-started': 1,
      'task-retried': 2,
      'task-succeeded': 2,
      'task-failed': 1,
    });
    expect(values('tabgrid_tasks_finished_total', 'state')).toEqual({ SUCCESS: 2, FAILURE: 1 });
    expect(values('tabgrid_task_retries_total', 'reason')).toEqual({ worker_lost: 1, released: 1 });
    expect(values('tabgrid_task_failures_total', 'error')).toEqual({ worker_lost: 1 });
    expect(values('tabgrid_leases_lost_total', 'task')).toEqual({ ping: 2 });
  });

  it('put runtimes into buckets, the longest into the one without bound', () => {
    const { type, series } = family(
      parseExposition(prometheusText([statsOf(lived())], [])),
      'tabgrid_task_runtime_seconds',
    );
    const at = (le: string) => series.find(({ labels }) => labels.state === 'SUCCESS' && labels.le === le)?.value;
    expect(type).toBe('histogram');
    expect([at('0.05'), at('0.1'), at('7200'), at('+Inf')]).toEqual([0, 1, 1, 2]);
    const sum = series.find(({ name, labels }) => name.endsWith('_sum') && labels.state === 'SUCCESS');
    expect(sum?.value).toBeCloseTo(90_000.07);
  });

  it('show workers by kind, and Node workers one by one', () => {
    const workers = [
      worker('node'),
      worker('tab'),
      worker('tab', { trusted: false }),
      worker('node', { state: 'offline' }),
    ];
    const families = parseExposition(prometheusText([], workers));
    expect(family(families, 'tabgrid_worker_slots').series.map(({ labels, value }) => [labels, value])).toEqual([
      [{ runtime: 'node', trusted: 'true' }, 4],
      [{ runtime: 'tab', trusted: 'true' }, 4],
      [{ runtime: 'tab', trusted: 'false' }, 4],
    ]);
    expect(family(families, 'tabgrid_worker_active').series).toMatchObject([{ labels: { worker: 'node' }, value: 3 }]);
  });

  it('survive their object, and do not grow without end with the names of queues', () => {
    const database = fakeDatabase();
    const tallies = new Tallies(database);
    for (let n = 0; n < 1500; n++) tallies.hear([event('task-sent', null, 'ping', `q${n}`)]);
    expect(tallies.isDirty).toBe(true);
    tallies.flush();
    expect(tallies.isDirty).toBe(false);
    const reborn = new Tallies(database);
    expect(reborn.read()).toEqual(tallies.read());
    reborn.hear([event('task-sent', null, 'ping', 'q7'), event('task-sent', null, 'ping', 'q1400')]);
    const sent = reborn.read().events;
    expect(sent).toHaveLength(1001);
    expect(sent.find(({ queue }) => queue === 'q7')?.count).toBe(2);
    expect(sent.find(({ queue }) => queue === '(others)')?.count).toBe(501);
  });
});

describe('the strict reader', () => {
  it.each([
    ['no end', '# HELP a b\n# TYPE a gauge\na 1'],
    ['no TYPE', '# HELP a b\n# TYPE b gauge\n'],
    ['a sample of nothing', 'a 1\n'],
    ['a series twice', '# HELP a b\n# TYPE a gauge\na{x="1"} 1\na{x="1"} 2\n'],
    ['a quote in a label', '# HELP a b\n# TYPE a gauge\na{x="1"2"} 1\n'],
    ['a histogram without its end', '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});
