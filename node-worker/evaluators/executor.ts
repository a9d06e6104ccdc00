import { TabgridError, type AttemptRef } from '#protocol';
import {
  attemptKey,
  failure,
  type ExecutionListener,
  type Executor,
  type GivenAssignment,
} from '../../client/worker/index.ts';
import { Evaluation, type EvaluationParts } from './evaluation.ts';

/** Beyond the time limits of all candidates together, for starting and ending their processes. The edge waits a little longer. */
const overheadMs = 3000;

/** Evaluates under the edge’s lease alone: one candidate after the other, lost with this process. */
export class EvaluationExecutor implements Executor {
  readonly #parts: EvaluationParts;
  readonly #running = new Map<string, Evaluation>();

  constructor(parts: EvaluationParts) {
    this.#parts = parts;
  }

  start(assignment: GivenAssignment, tell: ExecutionListener): void {
    const key = attemptKey(assignment);
    const evaluation = new Evaluation(assignment, 0, this.#parts, {
      onProgress: (progress) => tell({ type: 'progress', progress }),
      onSnapshot: (snapshot) => tell({ type: 'snapshot', snapshot }),
    });
    this.#running.set(key, evaluation);
    tell({ type: 'started' });
    const limitMs = assignment.time_limit_ms;
    let isLate = false;
    const cancel = this.#parts.settings.clock.setTimer(limitMs + overheadMs, () => {
      isLate = true;
      evaluation.abort(new TabgridError('time_limit_exceeded', 'The hard time limit is over.'));
    });
    void evaluation.run().then(({ outcome, runtimeMs }) => {
      cancel();
      this.#running.delete(key);
      const late = failure('time_limit_exceeded', `The hard time limit of ${limitMs / 1000} s is over.`);
      tell({ type: 'finished', outcome: isLate ? late : outcome, runtimeMs });
    });
  }

  abort(ref: AttemptRef): void {
    this.#running.get(attemptKey(ref))?.abort(new TabgridError('revoked', 'The task was stopped.'));
  }

  askSnapshot(ref: AttemptRef): void {
    this.#running.get(attemptKey(ref))?.askSnapshot();
  }

  resize(): void {
    // The session never starts more than it has slots.
  }

  recycle(): void {
    // Every candidate has a process of its own anyway.
  }

  close(): Promise<void> {
    for (const evaluation of this.#running.values()) {
      evaluation.abort(new TabgridError('revoked', 'The worker is leaving.'));
    }
    return Promise.resolve();
  }
}
