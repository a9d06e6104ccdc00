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
  /** About how much of a commit it takes, in tasks; 0 for what always comes along. */
  weight: number;
}

/** Submissions of one commit, in tasks: more would keep workers waiting. */
const maxCommitWeight = 2_000;
/** Submissions that wait, in tasks: more are refused. */
const maxWaitingWeight = 50_000;

/**
 * Gathers work that arrives until a 0 ms timer and commits it together: a commit costs a wait for the disk, whatever is in it.
 * Work that refuses throws a `TabgridError` before it has changed anything. Any other error is a defect: the whole commit is rolled back,
 * memory is read anew, and the works are repeated one by one, so that only the defective one fails.
 */
export class GroupCommit {
  readonly #clock: Clock;
  readonly #steps: CommitSteps;
  #waiting: Job[] = [];
  #waitingWeight = 0;

  constructor(clock: Clock, steps: CommitSteps) {
    this.#clock = clock;
    this.#steps = steps;
  }

  /**
   * Answers after the commit that contains the work.
   * @param weight of a submission, in tasks: one commit takes so many of them and leaves the others for the next, while what workers say
   *   comes along at once.
   * @throws TabgridError `rate_limited` when too much waits already
   */
  run<T>(work: () => T, weight = 0): Promise<T> {
    if (weight > 0 && this.#waitingWeight + weight > maxWaitingWeight) {
      return Promise.reject(
        new TabgridError('rate_limited', 'too many submissions wait to be stored', { retryAfterSeconds: 1 }),
      );
    }
    this.#waitingWeight += weight;
    return new Promise<T>((resolve, reject) => {
      let answer: T;
      if (this.#waiting.length === 0) this.#clock.setTimer(0, () => this.#commitAll());
      this.#waiting.push({
        run: () => (answer = work()),
        resolve: () => resolve(answer),
        reject,
        refusal: null,
        weight,
      });
    });
  }

  #commitAll(): void {
    const jobs = this.#takeJobs();
    if (this.#waiting.length > 0) this.#clock.setTimer(0, () => this.#commitAll());
    if (this.#commit(jobs) === null) return;
    for (const job of jobs) {
      const error = this.#commit([job]);
      if (error !== null) job.reject(error.cause);
    }
  }

  #takeJobs(): Job[] {
    let weight = 0;
    const [taken, left]: [Job[], Job[]] = [[], []];
    for (const job of this.#waiting) {
      const fits = job.weight === 0 || weight === 0 || weight + job.weight <= maxCommitWeight;
      if (fits) weight += job.weight;
      (fits ? taken : left).push(job);
    }
    this.#waiting = left;
    this.#waitingWeight -= weight;
    return taken;
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
