import type { Redis } from 'ioredis';
import { atMost, type Clock, type Executor } from '../../client/worker/index.ts';
import type { EvaluationParts } from '../evaluators/evaluation.ts';
import type { LeaseClient } from '../leases.ts';
import { inBackground, type Log } from '../log.ts';
import { connectRedis } from './connect.ts';
import { EvaluationWorker } from './evaluation-worker.ts';
import { AdoptingExecutor } from './executor.ts';
import { RedisKeys } from './keys.ts';
import { ProgressReporter } from './progress-reporter.ts';
import { ResultWriter } from './result-writer.ts';
import { EvaluationStore } from './store.ts';

export interface RedisGroupOptions {
  url: string;
  prefix: string;
  /** This process’s name among the members. */
  member: string;
  evaluators: readonly string[];
  evaluation: EvaluationParts;
  leases: LeaseClient;
  clock: Clock;
  concurrency: number;
  maxWaiting: number;
  heartbeatMs: number;
  claimAfterMs: number;
  progressMs: number;
  log: Log;
}

/** For ending processes, and for telling Redis and the edge. */
const leaveWithinMs = 10_000;

/** This process’s membership in the group of workers that share one Redis. */
export class RedisGroup {
  readonly #options: RedisGroupOptions;
  readonly #connections: readonly Redis[];
  readonly #store: EvaluationStore;
  readonly #worker: EvaluationWorker;
  readonly #writer: ResultWriter;
  readonly executor: Executor;

  /** Joins: from then on candidates of this group are evaluated here. Waits for Redis. */
  static async join(options: RedisGroupOptions): Promise<RedisGroup> {
    const { url, member, log } = options;
    const redis = connectRedis(url, member, log);
    const blocking = connectRedis(url, `${member}:blocking`, () => undefined);
    const store = new EvaluationStore(redis, new RedisKeys(options.prefix), member);
    const group = await store.groupName();
    await store.prepare(options.evaluators);
    await store.forgetDead(options.evaluators);
    return new RedisGroup(options, group, store, redis, blocking);
  }

  private constructor(
    options: RedisGroupOptions,
    group: string,
    store: EvaluationStore,
    redis: Redis,
    blocking: Redis,
  ) {
    this.#options = options;
    this.#connections = [redis, blocking];
    this.#store = store;
    const { leases, clock, log, claimAfterMs, evaluators, evaluation } = options;
    this.#writer = new ResultWriter({ store, leases, clock, claimAfterMs, log });
    const progress = new ProgressReporter({
      leases,
      clock,
      intervalMs: options.progressMs,
      log,
      onLost: (ref) => executor.drop(ref),
    });
    this.#worker = new EvaluationWorker({
      store,
      blocking,
      evaluators,
      evaluation,
      progress,
      clock,
      concurrency: options.concurrency,
      heartbeatMs: options.heartbeatMs,
      claimAfterMs,
      log,
      onFinished: () => this.#writer.wake(),
    });
    const executor = new AdoptingExecutor({
      store,
      worker: this.#worker,
      clock,
      group,
      maxWaiting: options.maxWaiting,
      log,
    });
    this.executor = executor;
    this.#writer.start();
    if (evaluators.length > 0) this.#worker.start();
  }

  edgeIsBack(): void {
    this.#writer.edgeIsBack();
  }

  /** A Redis that is away is not waited for. */
  get #patienceMs(): number {
    return this.#connections.every(({ status }) => status === 'ready') ? leaveWithinMs : 0;
  }

  takeNoMore(): void {
    this.#worker.takeNoMore();
  }

  /** Takes no more candidates; resolves when those under way are answered and, if the edge is there, written back, or when `hurry` aborts. */
  async drain(hurry: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const drained = this.#worker.drain().then(() => {
      const written = this.#writer.finish();
      inBackground(written, log);
      return atMost(clock, this.#patienceMs, written);
    });
    const hurried = new Promise<void>((resolve) => {
      if (hurry.aborted) resolve();
      else hurry.addEventListener('abort', () => resolve());
    });
    await Promise.race([drained, hurried]);
  }

  /** Gives running candidates back to the others and leaves. Does not wait long for a Redis that is away. */
  async leave(): Promise<void> {
    const { clock, evaluators, leases, log } = this.#options;
    this.#worker.giveBack();
    leases.close();
    const orderly = async () => {
      await this.#worker.drain();
      await this.#writer.close();
      await this.#store.leave(evaluators);
    };
    const left = orderly();
    inBackground(left, log);
    await atMost(clock, this.#patienceMs, left);
    void this.#writer.close();
    for (const connection of this.#connections) connection.disconnect();
  }
}
