import { retryDelayMs, type RetryPolicy } from '#protocol';
import { delay, type Clock } from '../../client/worker/index.ts';
import type { LeaseClient, ReportAnswer } from '../leases.ts';
import type { Log } from '../log.ts';
import type { EvaluationStore, FinishedAttempt, OutboxEntry } from './store.ts';

export interface ResultWriterOptions {
  store: EvaluationStore;
  leases: LeaseClient;
  clock: Clock;
  /** Silence after which another writer’s entry is taken over. */
  claimAfterMs: number;
  log: Log;
}

/** For an edge that is away: half a second, doubling to half a minute. */
const awayPolicy: RetryPolicy = { baseDelayMs: 500, factor: 2, maxDelayMs: 30_000, jitter: true };
const lookEveryMs = 1000;
const batchSize = 20;

/** Writes finished attempts back to the edge until it has acknowledged them, however long that takes. */
export class ResultWriter {
  readonly #options: ResultWriterOptions;
  readonly #stop = new AbortController();
  /** Taken from the outbox and not yet acknowledged; it is still there if this process dies. */
  readonly #waiting = new Map<string, OutboxEntry>();
  #woken: AbortController = new AbortController();
  #failures = 0;
  #lastTrouble = '';
  #loop: Promise<void> = Promise.resolve();

  constructor(options: ResultWriterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** There is something new in the outbox. */
  wake(): void {
    if (this.#failures === 0) this.#woken.abort();
  }

  /** The edge was heard of: what waits for it need not wait longer. */
  edgeIsBack(): void {
    this.#failures = 0;
    this.#woken.abort();
  }

  /** Writes what is ready, unless the edge is away, and ends. */
  async finish(): Promise<void> {
    await this.close();
    await this.#round();
  }

  /** What is not written back by then stays in Redis for others, or for the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#woken.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { clock, log, store } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#round();
      } catch (error) {
        if (this.#isStopped()) return;
        log(`Writing results back: ${error instanceof Error ? error.message : String(error)}`);
        // Somebody may have emptied Redis.
        await store.prepare([]).catch(() => undefined);
      }
      if (this.#isStopped()) return;
      const waitMs = this.#failures === 0 ? lookEveryMs : retryDelayMs(awayPolicy, this.#failures - 1, clock.random());
      await delay(clock, waitMs, this.#woken.signal);
      this.#woken = new AbortController();
    }
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #round(): Promise<void> {
    const { store, claimAfterMs } = this.#options;
    if (this.#waiting.size < batchSize) {
      for (const entry of await store.takeFinished(claimAfterMs, batchSize)) this.#waiting.set(entry.entry, entry);
    }
    for (const entry of this.#waiting.values()) {
      const finished = await store.finished(entry.attempt);
      const answer = finished && (await this.#write(finished));
      if (answer?.type === 'later') {
        this.#away(answer.error.message);
        return;
      }
      this.#failures = 0;
      this.#lastTrouble = '';
      if (answer?.type === 'lost') this.#options.log(`${entry.attempt}: the edge no longer wants the result; dropped`);
      await store.forget(entry.attempt, entry.entry);
      this.#waiting.delete(entry.entry);
    }
  }

  /** A result that the edge refuses for good becomes a failure, so that the task ends with a reason. */
  async #write({ ref, result }: FinishedAttempt): Promise<ReportAnswer> {
    const { leases, log } = this.#options;
    const answer = await leases.result(ref, result);
    if (answer.type !== 'refused') return answer;
    log(`${ref.task_id}: the edge refuses the result: ${answer.error.message}`);
    const second = await leases.failure(ref, answer.error);
    return second.type === 'refused' ? { type: 'lost' } : second;
  }

  #away(message: string): void {
    this.#failures++;
    if (message !== this.#lastTrouble) this.#options.log(`Writing results back: ${message}`);
    this.#lastTrouble = message;
  }
}
