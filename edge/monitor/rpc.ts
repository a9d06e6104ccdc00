import type { WorkerView } from '#protocol';
import type { BrokerStats } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { stubOf } from '../lib/delivery.ts';
import type { Reply } from '../lib/rpc.ts';

/** The state of the whole grid at one minute. */
export interface Sample {
  /** ISO 8601. */
  time: string;
  waiting: number;
  scheduled: number;
  running: number;
  workers_online: number;
  /** Final tasks since the grid began, by state. */
  succeeded: number;
  failed: number;
  revoked: number;
}

/** What the Monitor object offers. It asks the shards when it is asked, and costs nothing at rest. */
export interface MonitorApi {
  /** The worker table: one row for a worker, whatever shards it is connected to; those that left stay for a day. */
  workers(): Promise<Reply<WorkerView[]>>;
  /** One for each shard. */
  stats(): Promise<Reply<BrokerStats[]>>;
  /** What was seen since then, oldest first: at most one sample a minute, for as long as somebody looked. */
  history(sinceMs: number): Promise<Reply<Sample[]>>;
}

export function monitor(env: Env): MonitorApi {
  return stubOf<MonitorApi>(env, { object: 'monitor', name: 'main' });
}
