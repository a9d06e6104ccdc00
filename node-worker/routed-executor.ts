import { gpuQueue } from '#catalog';
import type { Assignment, AttemptRef } from '#protocol';
import type { AbortReason, ExecutionListener, Executor, GivenAssignment } from '../client/worker/index.ts';
import { evaluatorName, evaluatorNameOfCalls } from './evaluators/evaluation.ts';

export interface Executors {
  readonly threads: Executor;
  /** Evaluations by name: processes under this worker’s lease, or a group that shares a Redis. */
  readonly evaluations: Executor;
  /** Arrays of such evaluations, which no group keeps: a call is no candidate of its own. */
  readonly evaluationArrays: Executor;
  /** Null without a GPU: then threads compute what may use one, too. */
  readonly gpu: Executor | null;
  /** What further components compute, by task type: before all others. */
  readonly byTask: ReadonlyMap<string, Executor>;
}

/** Sends evaluations by name where processes are run, training for GPUs to where one is, and everything else to the compute threads. */
export class RoutedExecutor implements Executor {
  readonly #executors: Executors;

  constructor(executors: Executors) {
    this.#executors = executors;
  }

  /** Task types that only further components compute. */
  get addedTasks(): string[] {
    return [...this.#executors.byTask.keys()];
  }

  start(assignment: GivenAssignment, tell: ExecutionListener, isBrief?: boolean): void {
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
    await Promise.all([...this.#all].map((executor) => executor.close()));
  }

  #executorOf(assignment: Assignment): Executor {
    const { threads, evaluations, evaluationArrays, gpu, byTask } = this.#executors;
    const own = byTask.get(assignment.task);
    if (own !== undefined) return own;
    if (evaluatorName(assignment) !== null) return evaluations;
    if (evaluatorNameOfCalls(assignment) !== null) return evaluationArrays;
    return (assignment.queue === gpuQueue ? gpu : null) ?? threads;
  }

  get #all(): Set<Executor> {
    const { threads, evaluations, evaluationArrays, gpu, byTask } = this.#executors;
    return new Set([threads, evaluations, evaluationArrays, ...(gpu ? [gpu] : []), ...byTask.values()]);
  }
}
