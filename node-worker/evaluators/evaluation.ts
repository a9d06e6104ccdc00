import { findTaskType } from '#catalog';
import { TabgridError, type Assignment, type Json, type JsonObject, type Progress, type Snapshot } from '#protocol';
import {
  Attempt,
  type AttemptReport,
  type AttemptSettings,
  type EvaluatorHost,
  type FileStore,
  type GivenAssignment,
  type RecordsPart,
} from '../../client/worker/index.ts';
import type { Evaluators } from './evaluators.ts';

/** The name of the evaluator that a task needs; null for every other task. */
export function evaluatorName({ task, kwargs }: Pick<Assignment, 'task' | 'kwargs'>): string | null {
  if (findTaskType(task)?.name !== 'evaluate_candidates') return null;
  const evaluator = kwargs.evaluator as { kind?: unknown; name?: unknown } | undefined;
  return evaluator?.kind === 'named' && typeof evaluator.name === 'string' ? evaluator.name : null;
}

/** The same of an array of evaluations, whose calls share it. */
export function evaluatorNameOfCalls({ task, kwargs }: Assignment): string | null {
  const { task: called, kwargs: shared } = kwargs;
  if (task !== 'starmap' || typeof called !== 'string') return null;
  return evaluatorName({ task: called, kwargs: shared as JsonObject });
}

export function candidatesOf({ kwargs }: Assignment): Json[] {
  return Array.isArray(kwargs.candidates) ? kwargs.candidates : [];
}

/** Among how many a task’s time limit is divided. */
function itemsOf({ task, kwargs }: Assignment): number {
  return Math.max(1, findTaskType(task)?.items?.(kwargs) ?? 1);
}

export interface EvaluationParts {
  evaluators: Evaluators;
  settings: AttemptSettings;
  files: (edge: number) => FileStore;
}

export interface EvaluationHooks {
  onProgress: (progress: Progress) => void;
  onSnapshot: (snapshot: Snapshot) => void;
}

/** An `evaluate_candidates` with a named evaluator, or an array of such. Its body only waits for processes, so it runs beside the connection, not in a thread. */
export class Evaluation {
  readonly #attempt: Attempt;
  readonly #stop = new AbortController();

  /** @param firstIndex The place of the first candidate in the whole task. */
  constructor(assignment: GivenAssignment, firstIndex: number, parts: EvaluationParts, hooks: EvaluationHooks) {
    const { signal } = this.#stop;
    const items = itemsOf(assignment);
    const timeLimitMs = assignment.time_limit_ms / items;
    const softLimitMs = assignment.soft_time_limit_ms / items;
    const { clock } = parts.settings;
    const { task_id: taskId, attempt, owner } = assignment;
    const host: EvaluatorHost = {
      evaluate: async (name, candidate, index, onFraction = () => undefined) => {
        const soft = new AbortController();
        const cancel = clock.setTimer(softLimitMs, () => soft.abort(softLimitReached(softLimitMs)));
        const about = { name, candidate, taskId, attempt, index: firstIndex + index, onFraction };
        try {
          return await parts.evaluators.evaluate({ ...about, timeLimitMs, softLimit: soft.signal, signal });
        } finally {
          cancel();
        }
      },
    };
    const store = parts.files(assignment.edge ?? 0);
    const files = {
      read: (path: string) => store.read(owner, path, signal),
      records: (path: string, part: RecordsPart) => store.records(owner, path, part, signal),
      write: (path: string, bytes: Uint8Array, contentType: string) =>
        store.write(owner, path, bytes, contentType, signal),
    };
    this.#attempt = new Attempt(assignment, parts.settings, { files, evaluators: host, ...hooks });
  }

  run(): Promise<AttemptReport> {
    return this.#attempt.run();
  }

  askSnapshot(): void {
    this.#attempt.askSnapshot();
  }

  /** Ends its processes. `run` then resolves with the outcome `revoked`. */
  abort(reason: Error): void {
    this.#attempt.abort();
    this.#stop.abort(reason);
  }
}

function softLimitReached(softLimitMs: number): TabgridError {
  const message = `The soft time limit of ${softLimitMs / 1000} s for one candidate is over.`;
  return new TabgridError('soft_time_limit_exceeded', message);
}
