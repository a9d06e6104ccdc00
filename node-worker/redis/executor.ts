import { TabgridError, type Assignment, type AttemptRef } from '#protocol';
import { attemptKey, delay, type Clock, type ExecutionListener, type Executor } from '../../client/worker/index.ts';
import { evaluatorName } from '../evaluators/evaluation.ts';
import { inBackground, type Log } from '../log.ts';
import type { EvaluationWorker } from './evaluation-worker.ts';
import type { EvaluationStore } from './store.ts';

export interface AdoptingExecutorOptions {
  store: EvaluationStore;
  worker: EvaluationWorker;
  clock: Clock;
  group: string;
  /** Candidates that may wait in Redis before an attempt is kept waiting at the door. */
  maxWaiting: number;
  log: Log;
}

const lookForRoomEveryMs = 1000;

/** Hands attempts over to Redis: from then on they belong to the group, and this worker’s slot is free. */
export class AdoptingExecutor implements Executor {
  readonly #options: AdoptingExecutorOptions;
  /** Attempts on their way into Redis. */
  readonly #entering = new Map<string, AbortController>();

  constructor(options: AdoptingExecutorOptions) {
    this.#options = options;
  }

  start(assignment: Assignment, tell: ExecutionListener): void {
    const key = attemptKey(assignment);
    const stop = new AbortController();
    this.#entering.set(key, stop);
    const entered = this.#enter(assignment, stop.signal).then(
      () => {
        this.#entering.delete(key);
        tell({ type: 'started' });
        tell({ type: 'adopted', group: this.#options.group });
      },
      (error: unknown) => {
        this.#entering.delete(key);
        if (!stop.signal.aborted) this.#options.log(`Keeping ${key} in Redis: ${String(error)}`);
        const released = { type: 'released', reason: 'its Redis is away' } as const;
        tell({ type: 'finished', outcome: stop.signal.aborted ? { type: 'revoked' } : released, runtimeMs: 0 });
      },
    );
    inBackground(entered, this.#options.log);
  }

  abort(ref: AttemptRef): void {
    const key = attemptKey(ref);
    const entering = this.#entering.get(key);
    if (entering) entering.abort(new TabgridError('revoked', 'The task was stopped.'));
    else this.drop(ref);
  }

  /** The group forgets an attempt: revoked, or no longer its own. */
  drop(ref: AttemptRef): void {
    const key = attemptKey(ref);
    this.#options.worker.drop(key);
    inBackground(this.#options.store.forget(key, null), this.#options.log);
  }

  askSnapshot(): void {
    // Redis keeps it: nothing is to be handed over.
  }

  resize(concurrency: number): void {
    this.#options.worker.resize(concurrency);
  }

  recycle(): void {
    // Every candidate has a process of its own anyway.
  }

  close(): Promise<void> {
    for (const stop of this.#entering.values()) stop.abort(new TabgridError('revoked', 'The worker is leaving.'));
    return Promise.resolve();
  }

  /** Waits for room, under the lease that heartbeats renew, so that others can have what this group could not begin soon. */
  async #enter(assignment: Assignment, signal: AbortSignal): Promise<void> {
    const { store, clock, maxWaiting } = this.#options;
    const evaluator = evaluatorName(assignment) ?? '';
    while ((await store.backlog(evaluator)) >= maxWaiting) {
      await delay(clock, lookForRoomEveryMs, signal);
      signal.throwIfAborted();
    }
    signal.throwIfAborted();
    await store.enqueue(assignment, evaluator);
    if (!signal.aborted) return;
    await store.forget(attemptKey(assignment), null);
    signal.throwIfAborted();
  }
}
