import type { Assignment, AttemptRef, Progress } from '#protocol';
import { attemptKey } from '../execution/executor.ts';

/** An attempt that this worker has and has not ended. */
export interface Held {
  readonly ref: AttemptRef;
  readonly assignment: Assignment;
  readonly order: number;
  running: boolean;
  /** Told by the executor; between handing it over and this, a thread may still be starting. */
  startedAtMs: number | null;
  snapshotAskedAtMs: number;
  /** Give it back as soon as its snapshot is here. */
  handBack: boolean;
  /** Waiting for the next flush. */
  unsaid: { started: boolean; progress: Progress | null };
}

/** The attempts of one worker, waiting and running. */
export class Holdings {
  readonly #held = new Map<string, Held>();
  #arrivals = 0;

  get size(): number {
    return this.#held.size;
  }

  get runningCount(): number {
    let count = 0;
    for (const held of this.#held.values()) if (held.running) count++;
    return count;
  }

  all(): Held[] {
    return [...this.#held.values()];
  }

  get(ref: AttemptRef): Held | undefined {
    return this.#held.get(attemptKey(ref));
  }

  /** Another attempt of the same task. */
  otherAttempt(ref: AttemptRef): Held | undefined {
    return this.all().find((held) => held.ref.task_id === ref.task_id && held.ref.attempt !== ref.attempt);
  }

  add(assignment: Assignment): Held {
    const held: Held = {
      ref: { task_id: assignment.task_id, attempt: assignment.attempt },
      assignment,
      order: this.#arrivals++,
      running: false,
      startedAtMs: null,
      snapshotAskedAtMs: 0,
      handBack: false,
      unsaid: { started: false, progress: null },
    };
    this.#held.set(attemptKey(held.ref), held);
    return held;
  }

  remove(ref: AttemptRef): Held | undefined {
    const held = this.get(ref);
    this.#held.delete(attemptKey(ref));
    return held;
  }

  /** The waiting attempt that is to run next: highest priority, then first come. */
  next(): Held | undefined {
    let best: Held | undefined;
    for (const held of this.#held.values()) {
      if (held.running) continue;
      const priority = held.assignment.priority - (best?.assignment.priority ?? -1);
      if (priority > 0 || (priority === 0 && held.order < (best?.order ?? 0))) best = held;
    }
    return best;
  }
}
