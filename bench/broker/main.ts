import { availableParallelism } from 'node:os';
import type { BenchLine, BenchOptions } from '../lib/line.ts';
import { startPeers, stopPeers, type Field } from '../lib/peer.ts';
import { startRedis } from './redis.ts';
import { batchCount } from './submitter.ts';
import { bulk, single } from './throughput.ts';

/** The broker beside Celery and BullMQ, each in processes of its own on this machine. */
export async function* run({ quick, only = '' }: BenchOptions): AsyncGenerator<BenchLine> {
  const wants = (name: string): boolean => name.startsWith(only);
  if (wants('bulk-vs-celery')) {
    yield await against(celery, (field) => bulk('bulk-vs-celery', field, quick, { tasks: quick ? 300 : 4_000 }));
  }
  const request = { work: 'bulk', tasks: quick ? 2_000 : 20_000, batch: batchCount, concurrency: 50 };
  if (wants('bulk-vs-bullmq')) yield await against(bullmq, (field) => bulk('bulk-vs-bullmq', field, quick, request));
  if (wants('single-vs-bullmq')) yield await against(bullmq, (field) => single('single-vs-bullmq', field, quick));
}

/** A peer on a Redis of its own. */
interface Opponent {
  readonly script: string;
  readonly name: string;
  readonly durable: boolean;
  readonly options: readonly string[];
}

const bullmq: readonly Opponent[] = [{ script: 'bullmq.mjs', name: 'bullmq', durable: true, options: [] }];
const celery: readonly Opponent[] = [false, true].map((durable) => ({
  script: 'celery_peer.py',
  name: 'celery',
  durable,
  options: [String(availableParallelism())],
}));

async function against(opponents: readonly Opponent[], work: (field: Field) => Promise<BenchLine>): Promise<BenchLine> {
  const started = await Promise.all(opponents.map(startOpponent));
  const field: Field = {
    peers: started.flatMap(({ field: { peers } }) => peers),
    missing: started.flatMap(({ field: { missing } }) => missing),
  };
  try {
    return await work(field);
  } finally {
    await Promise.all(started.map(({ stop }) => stop()));
  }
}

async function startOpponent({
  script,
  name,
  durable,
  options,
}: Opponent): Promise<{ field: Field; stop(): Promise<void> }> {
  const redis = await startRedis(durable);
  if (typeof redis === 'string') {
    return { field: { peers: [], missing: [`${name}: ${redis}`] }, stop: () => Promise.resolve() };
  }
  const field = await startPeers([[script, name, redis.socket, redis.label, ...options]]);
  return {
    field,
    stop: async () => {
      await stopPeers(field);
      await redis.stop();
    },
  };
}
