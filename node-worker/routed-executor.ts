import { gpuQueue } from '#catalog';
import type { Assignment, AttemptRef } from '#protocol';
import type { AbortReason, ExecutionListener, Executor } from '../client/worker/index.ts';
import { evaluatorName } from './evaluators/evaluation.ts';

/** Sends evaluations by name where processes are run, training for GPUs to where one is, and everything else to the compute threads. */
export class RoutedExecutor implements Executor {
  readonly #threads: Executor;
  readonly #evaluations: Executor;
  readonly #gpu: Executor | null;

  /** @param gpu null without one: then threads compute what may use a GPU, too */
  constructor(threads: Executor, evaluations: Executor, gpu: Executor | null) {
    this.#threads = threads;
    this.#evaluations = evaluations;
    this.#gpu = gpu;
  }

  start(assignment: Assignment, tell: ExecutionListener, isBrief?: boolean): void {
    this.#executorOf(assignment).start(assignment, tell, isBrief);
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

  #executorOf(assignment: Assignment): Executor {
    if (evaluatorName(assignment) !== null) return this.#evaluations;
    return assignment.queue === gpuQueue && this.#gpu ? this.#gpu : this.#threads;
  }

  get #all(): Executor[] {
    return [this.#threads, this.#evaluations, ...(this.#gpu ? [this.#gpu] : [])];
  }
}
