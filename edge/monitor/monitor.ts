import { DurableObject } from 'cloudflare:workers';
import type { Principal, WorkerView } from '#protocol';
import { brokerShard, type BrokerApi, type BrokerStats } from '../broker/rpc.ts';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { SwitchableClock } from '../lib/clock.ts';
import { migrate } from '../lib/migrate.ts';
import { call, reply, type Reply } from '../lib/rpc.ts';
import { Database } from '../lib/sql.ts';
import { mergeWorkers, sampleOf } from './merge.ts';
import type { MonitorApi, Sample } from './rpc.ts';
import { MonitorStore, monitorMigrations } from './store.ts';

/** How long samples are kept. */
const retentionMs = 7 * 24 * 3_600_000;

/** In whose name the shards are asked. */
const self: Principal = { sub: '', scope: ['read'] };

/** The grid as a whole. It pulls from the shards when somebody asks, once for all who ask at the same time. */
export class Monitor extends DurableObject<Env> implements MonitorApi {
  readonly clock = new SwitchableClock();
  readonly #store: MonitorStore;
  #workers: Promise<WorkerView[]> | null = null;
  #stats: Promise<BrokerStats[]> | null = null;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    const database = new Database(context.storage);
    migrate(database, monitorMigrations);
    this.#store = new MonitorStore(database);
  }

  workers(): Promise<Reply<WorkerView[]>> {
    return reply(() => {
      this.#workers ??= this.#pullWorkers().finally(() => (this.#workers = null));
      return this.#workers;
    });
  }

  stats(): Promise<Reply<BrokerStats[]>> {
    return reply(() => {
      this.#stats ??= this.#pullStats().finally(() => (this.#stats = null));
      return this.#stats;
    });
  }

  history(sinceMs: number): Promise<Reply<Sample[]>> {
    return reply(() => this.#store.samples(sinceMs));
  }

  async #pullWorkers(): Promise<WorkerView[]> {
    const pulled = await Promise.all(this.#shards().map((shard) => call(shard.workers(self))));
    return mergeWorkers(pulled.flat());
  }

  async #pullStats(): Promise<BrokerStats[]> {
    const stats = await Promise.all(this.#shards().map((shard) => call(shard.stats())));
    const online = (await call(this.workers())).filter((worker) => worker.state === 'online').length;
    const nowMs = this.clock.now();
    this.#store.addSample(sampleOf(stats, online, nowMs), nowMs - retentionMs);
    return stats;
  }

  #shards(): BrokerApi[] {
    return Array.from({ length: loadConfig(this.env).shards }, (_, shard) => brokerShard(this.env, shard));
  }
}
