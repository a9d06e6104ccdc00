import type { BenchLine, BenchOptions } from '../lib/line.ts';
import { backlog } from './backlog.ts';
import { chunksMillion } from './chunks.ts';
import { cost } from './cost.ts';
import { latency } from './latency.ts';
import { against, bullmq, celery } from './opponents.ts';
import { rows } from './rows.ts';
import { bulk, single } from './throughput.ts';

/** The broker beside Celery and BullMQ, each in processes of its own on this machine. */
export async function* run({ quick, only = '' }: BenchOptions): AsyncGenerator<BenchLine> {
  const wants = (name: string): boolean => name.startsWith(only);
  const celeryTasks = quick ? 300 : 4_000;
  if (wants('bulk-vs-celery')) {
    const work = { pool: 'threads', request: { work: 'bulk', tasks: celeryTasks } } as const;
    yield await against(celery, (field) => bulk('bulk-vs-celery', field, quick, work));
  }
  if (wants('bulk-vs-bullmq')) {
    const request = { work: 'bulk', tasks: quick ? 2_000 : 20_000, batch: 1000, concurrency: 50 };
    yield await against(bullmq, (field) => bulk('bulk-vs-bullmq', field, quick, { pool: 'solo', request }));
  }
  if (wants('single-vs-bullmq')) yield await against(bullmq, (field) => single('single-vs-bullmq', field, quick));
  const latencies = ['latency-vs-bullmq', 'latency-vs-bullmq-p99'];
  if (latencies.some(wants)) {
    const lines = await against(bullmq, (field) => latency('latency-vs-bullmq', field, quick));
    yield* lines.filter((line) => wants(line.case));
  }
  if (wants('cpu-per-task')) yield await cost('cpu-per-task', quick);
  if (wants('rows-per-task')) yield await rows('rows-per-task', quick, 1);
  if (wants('rows-per-task-100')) yield await rows('rows-per-task-100', quick, 100);
  if (wants('chunks-million')) yield await chunksMillion('chunks-million', quick);
  if (wants('backlog-growth')) yield await backlog('backlog-growth', quick);
}
