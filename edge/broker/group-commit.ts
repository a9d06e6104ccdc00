import { TabgridError } from '#protocol';
import type { Clock } from '../lib/clock.ts';
import { log } from '../lib/log.ts';

/** What one commit consists of. */
export interface CommitSteps {
  /** Runs `body` as one transaction. */
  readonly transaction: (body: () => void) => void;
  /** Inside the transaction, after all work: whatever must be in the same commit. */
  readonly finish: () => void;
  /** After the commit: tell the world. Runtime’s output gate holds messages back until the commit is on disk. */
  readonly committed: () => void;
  /** After a rollback: throw memory away and read it from storage. */
  readonly rolledBack: () => void;
}

interface Job {
  /** Runs the work and keeps its answer. */
  run: () => void;
  resolve: () => void;
  reject: (error: unknown) => void;
  /** A refusal, which is an answer like another. */
  refusal: TabgridError | null;
}

/**
 * Gathers work that arrives until a 0 ms timer and commits it together: a commit costs a wait for the disk, whatever is in it.
 * Work that refuses throws a `TabgridError` before it has changed anything. Any other error is a defect: the whole commit is rolled back,
 * memory is read anew, and the works are repeated one by one, so that only the defective one fails.
 */
export class GroupCommit {
  readonly #clock: Clock;
  readonly #steps: CommitSteps;
  #waiting: Job[] = [];

  constructor(clock: Clock, steps: CommitSteps) {
    this.#clock = clock;
    this.#steps = steps;
  }

  /** Answers after the commit that contains the work. */
  run<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let answer: T;
      if (this.#waiting.length === 0) this.#clock.setTimer(0, () => this.#commitAll());
      this.#waiting.push({
        run: () => (answer = work()),
        resolve: () => resolve(answer),
        reject,
        refusal: null,
      });
    });
  }

  #commitAll(): void {
    const jobs = this.#waiting;
    this.#waiting = [];
    if (this.#commit(jobs) === null) return;
    for (const job of jobs) {
      const error = this.#commit([job]);
      if (error !== null) job.reject(error.cause);
    }
  }

  /** @returns null, or the defect that rolled everything back. */
  #commit(jobs: readonly Job[]): { cause: unknown } | null {
    try {
      this.#steps.transaction(() => {
        for (const job of jobs) attempt(job);
        this.#steps.finish();
      });
    } catch (cause) {
      this.#steps.rolledBack();
      return { cause };
    }
    try {
      this.#steps.committed();
    } catch (error) {
      // What is committed is committed: whoever waits for it must hear so.
      log('error', 'aftermath-failed', { error });
    }
    for (const job of jobs) {
      if (job.refusal === null) job.resolve();
      else job.reject(job.refusal);
    }
    return null;
  }
}

function attempt(job: Job): void {
  job.refusal = null;
  try {
    job.run();
  } catch (error) {
    if (!(error instanceof TabgridError)) throw error;
    job.refusal = error;
  }
}
