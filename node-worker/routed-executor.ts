import type { Assignment, AttemptRef } from '#protocol';
import type { AbortReason, ExecutionListener, Executor } from '../client/worker/index.ts';
import { evaluatorName } from './evaluators/evaluation.ts';

/** Sends evaluations by name where processes are run, and everything else to the compute threads. */
export class RoutedExecutor implements Executor {
  readonly #threads: Executor;
  readonly #evaluations: Executor;

  constructor(threads: Executor, evaluations: Executor) {
    this.#threads = threads;
    this.#evaluations = evaluations;
  }

  start(assignment: Assignment, tell: ExecutionListener): void {
    const executor = evaluatorName(assignment) === null ? this.#threads : this.#evaluations;
    executor.start(assignment, tell);
  }

  abort(ref: AttemptRef, reason: AbortReason): void {
    for (const executor of this.#all) executor.abort(ref, reason);
  }

  askSnapshot(ref: AttemptRef): void {
    for (const executor of this.#all) executor.askSnapshot(ref);
  }

  resize(concurrency: number): void {
    for (const executor of this.#all) executor.resize(concurrency);
  }

  recycle(): void {
    for (const executor of this.#all) executor.recycle();
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((executor) => executor.close()));
  }

  get #all(): Executor[] {
    return [this.#threads, this.#evaluations];
  }
}
