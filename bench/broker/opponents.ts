import { availableParallelism } from 'node:os';
import type { BenchLine } from '../lib/line.ts';
import { startPeers, stopPeers, type Field } from '../lib/peer.ts';
import { startRedis } from './redis.ts';

/** A peer, with a Redis of its own. */
interface Opponent {
  readonly script: string;
  readonly name: string;
  readonly durable: boolean;
  readonly options: readonly string[];
}

/** Always as durable as we are. */
export const bullmq: readonly Opponent[] = [{ script: 'bullmq.mjs', name: 'bullmq', durable: true, options: [] }];

/** As it is mostly run, and as durable as we are. */
export const celery: readonly Opponent[] = [false, true].map((durable) => ({
  script: 'celery_peer.py',
  name: 'celery',
  durable,
  options: [String(availableParallelism())],
}));

/** Runs `work` while the opponents that can be had are there. */
export async function against<T extends BenchLine | BenchLine[]>(
  opponents: readonly Opponent[],
  work: (field: Field) => Promise<T>,
): Promise<T> {
  const started = await Promise.all(opponents.map(startOpponent));
  const field: Field = {
    peers: started.flatMap(({ field: { peers } }) => peers),
    missing: started.flatMap(({ field: { missing } }) => missing),
  };
  try {
    return await work(field);
  } finally {
    await Promise.all(started.map((opponent) => opponent.stop()));
  }
}

async function startOpponent(opponent: Opponent): Promise<{ field: Field; stop(): Promise<void> }> {
  const { script, name, durable, options } = opponent;
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
