import type { Redis } from 'ioredis';
import { TabgridError, type Assignment } from '#protocol';
import { atMost, delay, type AttemptReport, type Clock } from '../../client/worker/index.ts';
import { candidatesOf, Evaluation, type EvaluationParts } from '../evaluators/evaluation.ts';
import { inBackground, type Log } from '../log.ts';
import type { ProgressReporter } from './progress-reporter.ts';
import type { Answer, EvaluationStore, QueuedCandidate } from './store.ts';

export interface EvaluationWorkerOptions {
  store: EvaluationStore;
  /** A connection of its own, because it waits there for candidates. */
  blocking: Redis;
  evaluators: readonly string[];
  evaluation: EvaluationParts;
  progress: ProgressReporter;
  clock: Clock;
  concurrency: number;
  heartbeatMs: number;
  /** Silence after which a candidate is taken over. */
  claimAfterMs: number;
  log: Log;
  /** An attempt has all its answers. */
  onFinished: () => void;
}

interface Run {
  readonly candidate: QueuedCandidate;
  readonly evaluation: Evaluation;
  fraction: number;
  /** Why it was ended before its time. */
  ended: 'unwanted' | 'leaving' | null;
}

/** A candidate whose worker died this often may well be what kills it. */
const maxLosses = 4;
const longestWaitMs = 1000;
const pauseAfterTroubleMs = 500;

/** Takes candidates from Redis and evaluates them, as many at a time as there are slots. */
export class EvaluationWorker {
  readonly #options: EvaluationWorkerOptions;
  readonly #runs = new Map<string, Run>();
  readonly #starting = new Set<string>();
  readonly #stop = new AbortController();
  #concurrency: number;
  #freed: () => void = () => undefined;
  #lookedForDeadAtMs = 0;
  #loop: Promise<void> = Promise.resolve();
  #idle: (() => void)[] = [];
  #leaving = false;

  constructor(options: EvaluationWorkerOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency;
  }

  start(): void {
    this.#loop = this.#take();
  }

  resize(concurrency: number): void {
    this.#concurrency = concurrency;
    this.#freed();
  }

  /** Ends what runs of an attempt that is no longer wanted. */
  drop(attempt: string): void {
    for (const run of this.#runs.values()) if (run.candidate.attempt === attempt) this.#end(run, 'unwanted');
  }

  takeNoMore(): void {
    this.#stop.abort();
    this.#freed();
  }

  /** Takes no more; resolves when what runs has ended by itself. */
  async drain(): Promise<void> {
    this.takeNoMore();
    // What it takes in its last turn it gives back; when Redis is away there is nothing to wait for.
    await atMost(this.#options.clock, 2 * longestWaitMs, this.#loop);
    if (this.#busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends what runs and gives it back. */
  giveBack(): void {
    this.takeNoMore();
    this.#leaving = true;
    for (const run of this.#runs.values()) this.#end(run, 'leaving');
  }

  get #busy(): number {
    return this.#runs.size + this.#starting.size;
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #take(): Promise<void> {
    const { store, evaluators, clock, log } = this.#options;
    while (!this.#isStopped()) {
      const free = this.#concurrency - this.#busy;
      if (free <= 0) {
        await new Promise<void>((resolve) => (this.#freed = resolve));
        continue;
      }
      try {
        for (const candidate of await this.#next(free)) {
          if (this.#runs.has(candidate.entry) || this.#starting.has(candidate.entry)) continue;
          if (this.#isStopped()) await store.giveBack(candidate);
          else inBackground(this.#evaluate(candidate), log);
        }
      } catch (error) {
        if (this.#isStopped()) return;
        log(`Taking candidates from Redis: ${error instanceof Error ? error.message : String(error)}`);
        await delay(clock, pauseAfterTroubleMs, this.#stop.signal);
        // Somebody may have emptied Redis.
        await store.prepare(evaluators).catch(() => undefined);
      }
    }
  }

  async #next(free: number): Promise<QueuedCandidate[]> {
    const { store, evaluators, blocking, clock, claimAfterMs } = this.#options;
    const taken: QueuedCandidate[] = [];
    if (clock.now() - this.#lookedForDeadAtMs >= claimAfterMs / 2) {
      this.#lookedForDeadAtMs = clock.now();
      for (const evaluator of evaluators) {
        if (taken.length < free) taken.push(...(await store.takeOver(evaluator, claimAfterMs, free - taken.length)));
      }
    }
    if (taken.length > 0) return taken;
    return store.take(blocking, evaluators, free, Math.min(longestWaitMs, Math.ceil(claimAfterMs / 2)));
  }

  async #evaluate(candidate: QueuedCandidate): Promise<void> {
    const { store } = this.#options;
    this.#starting.add(candidate.entry);
    try {
      const assignment = await store.assignment(candidate.attempt);
      if (!assignment) await store.discard(candidate);
      else if (candidate.losses > maxLosses) {
        const error = `worker_lost: its evaluation was begun ${candidate.losses} times, and its worker died each time`;
        await this.#answer(candidate, assignment, { error });
      } else await this.#run(candidate, assignment);
    } finally {
      this.#starting.delete(candidate.entry);
      this.#runs.delete(candidate.entry);
      this.#freed();
      if (this.#busy === 0) for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  async #run(candidate: QueuedCandidate, assignment: Assignment): Promise<void> {
    const { store, evaluation: parts } = this.#options;
    const evaluation = new Evaluation(alone(assignment, candidate.index), candidate.index, parts, {
      onProgress: ({ fraction }) => (run.fraction = fraction ?? run.fraction),
      onSnapshot: () => undefined,
    });
    const run: Run = { candidate, evaluation, fraction: 0, ended: null };
    this.#runs.set(candidate.entry, run);
    this.#starting.delete(candidate.entry);
    if (this.#leaving) this.#end(run, 'leaving');
    const stopBeating = this.#beat(run, assignment);
    const report = await evaluation.run();
    stopBeating();
    if (run.ended === 'leaving') await store.giveBack(candidate);
    else if (run.ended === 'unwanted') await store.discard(candidate);
    else await this.#answer(candidate, assignment, answerOf(report));
  }

  async #answer(candidate: QueuedCandidate, assignment: Assignment, answer: Answer): Promise<void> {
    const { store, progress, onFinished } = this.#options;
    const total = candidatesOf(assignment).length;
    const answered = await store.answer(candidate, answer);
    if (answered === total) onFinished();
    else if (answered > 0) progress.report(assignment, answered, answered / total);
  }

  #end(run: Run, why: NonNullable<Run['ended']>): void {
    run.ended ??= why;
    run.evaluation.abort(new TabgridError('revoked', 'The evaluation was stopped.'));
  }

  /** While it runs: says that this process lives, and hears whether it is still wanted. */
  #beat(run: Run, assignment: Assignment): () => void {
    const { clock, store, progress, heartbeatMs, log } = this.#options;
    const total = candidatesOf(assignment).length;
    let cancel: () => void = () => undefined;
    let isOver = false;
    const beat = async () => {
      const { state, answered, fractions } = await store.renew(run.candidate, run.fraction);
      if (state !== 'wanted') this.#end(run, 'unwanted');
      else progress.report(assignment, answered, (answered + fractions) / total);
    };
    const schedule = () => {
      cancel = clock.setTimer(heartbeatMs, () => {
        const next = beat().finally(() => {
          if (!isOver) schedule();
        });
        inBackground(next, log);
      });
    };
    schedule();
    return () => {
      isOver = true;
      cancel();
    };
  }
}

/** The task with one candidate and its share of the time limits. */
function alone(assignment: Assignment, index: number): Assignment {
  const candidates = candidatesOf(assignment);
  return {
    ...assignment,
    kwargs: { ...assignment.kwargs, candidates: candidates.slice(index, index + 1) },
    soft_time_limit_ms: assignment.soft_time_limit_ms / candidates.length,
    time_limit_ms: assignment.time_limit_ms / candidates.length,
    snapshot: null,
  };
}

function answerOf({ outcome }: AttemptReport): Answer {
  if (outcome.type === 'failure') return { error: `${outcome.error.type}: ${outcome.error.message}` };
  if (outcome.type !== 'success') return { error: `task_failed: it ended as ${outcome.type}` };
  const { values, failed } = outcome.result as {
    values: (Extract<Answer, { values: unknown }>['values'] | null)[];
    failed: { error: string }[];
  };
  const [value] = values;
  return value ? { values: value } : { error: failed[0]?.error ?? 'evaluator_failed: it gave no values' };
}
