import type { Assignment, AttemptRef } from '#protocol';
import { attemptKey, type Clock } from '../../client/worker/index.ts';
import type { LeaseClient } from '../leases.ts';
import { inBackground, type Log } from '../log.ts';

export interface ProgressReporterOptions {
  leases: LeaseClient;
  clock: Clock;
  /** Between two reports about one attempt. */
  intervalMs: number;
  log: Log;
  /** The edge says that the attempt is no longer this group’s. */
  onLost: (ref: AttemptRef) => void;
}

const maxRemembered = 1000;

/** Tells the edge how far adopted attempts have come. What gets lost is told again soon, and an answer may bring news of a revocation. */
export class ProgressReporter {
  readonly #options: ProgressReporterOptions;
  readonly #toldAtMs = new Map<string, number>();

  constructor(options: ProgressReporterOptions) {
    this.#options = options;
  }

  report(assignment: Assignment, answered: number, fraction: number): void {
    const { leases, clock, intervalMs, log, onLost } = this.#options;
    const key = attemptKey(assignment);
    const nowMs = clock.now();
    if (nowMs - (this.#toldAtMs.get(key) ?? -Infinity) < intervalMs) return;
    this.#toldAtMs.delete(key);
    this.#toldAtMs.set(key, nowMs);
    for (const oldest of this.#toldAtMs.keys()) {
      if (this.#toldAtMs.size <= maxRemembered) break;
      this.#toldAtMs.delete(oldest);
    }
    const total = Array.isArray(assignment.kwargs.candidates) ? assignment.kwargs.candidates.length : 0;
    const ref = { task_id: assignment.task_id, attempt: assignment.attempt };
    const progress = { fraction: Math.min(1, fraction), message: `${answered} of ${total} candidates evaluated` };
    const told = leases.progress(ref, progress).then((answer) => {
      if (answer.type === 'lost') onLost(ref);
    });
    inBackground(told, log);
  }
}
