import { TabgridError, type AttemptRef, type Outcome } from '#protocol';
import type { FileStore } from '../files/http-files.ts';
import type { Clock } from '../lib/clock.ts';
import { attemptKey, type ExecutionListener, type Executor, type GivenAssignment } from './executor.ts';
import { failure } from './failure.ts';
import type { RunningThread } from './remote-thread.ts';
import type { ThreadHooks, ThreadReport } from './thread.ts';
import { replyOf } from './thread.ts';

export interface PoolOptions {
  /** Starts a new thread that runs a `ComputeThread`. */
  start: (hooks: ThreadHooks) => RunningThread;
  /** Those of an edge, by its number. */
  files: (edge: number) => FileStore;
  clock: Clock;
  /** Threads at most; they are started when first needed. */
  concurrency: number;
  /** Attempts after which a thread is replaced; null for never. */
  maxTasksPerThread: number | null;
  /** Memory over which a thread is replaced when its attempt is over; null for never. */
  maxMemoryBytes: number | null;
  /** How long a stopped attempt may take to end by itself before its thread is. */
  abortGraceMs: number;
}

const stopped: Outcome = { type: 'revoked' };

interface Job {
  readonly assignment: GivenAssignment;
  readonly tell: ExecutionListener;
  /** May share a way to a thread, and that thread’s time, with other brief ones. */
  readonly isBrief: boolean;
  /** Aborts the transfers of files; null until there is one. */
  transfers: AbortController | null;
  stopped: boolean;
}

/** What a thread was given at once: one job, or several brief ones. */
interface Batch {
  readonly jobs: Job[];
  readonly timers: (() => void)[];
  begunMs: number | null;
}

interface Slot {
  readonly thread: RunningThread;
  batch: Batch | null;
  done: number;
  /** To be replaced as soon as it has nothing to do. */
  worn: boolean;
}

/** More would wait too long for the slowest of them. */
const maxBatchJobs = 32;
/** Brief jobs that take longer than this are told to have begun. */
const tellBriefAfterMs = 50;

/** Computes attempts in threads that can be ended at the hard time limit: worker threads in Node, Web Workers in a browser. In the host’s own thread (`local-thread.ts`) nothing can be ended, only no longer waited for. */
export class ThreadPool implements Executor {
  readonly #options: PoolOptions;
  readonly #slots = new Set<Slot>();
  #waiting: Job[] = [];
  #concurrency: number;
  #closed = false;
  #isAssigning = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency;
  }

  /** Threads that exist now. */
  get threadCount(): number {
    return this.#slots.size;
  }

  start(assignment: GivenAssignment, tell: ExecutionListener, isBrief = false): void {
    this.#waiting.push({ assignment, tell, isBrief, transfers: null, stopped: false });
    this.#assignSoon();
  }

  abort(ref: AttemptRef): void {
    const key = attemptKey(ref);
    const waiting = this.#waiting.find((job) => attemptKey(job.assignment) === key);
    if (waiting) {
      this.#waiting = this.#waiting.filter((job) => job !== waiting);
      this.#tellEnd(waiting, stopped, 0);
      return;
    }
    const { slot, batch, job } = this.#find(key) ?? {};
    if (!slot || !batch || !job || job.stopped) return;
    job.stopped = true;
    job.transfers?.abort(new TabgridError('revoked', 'The task was stopped.'));
    if (batch.begunMs === null) {
      batch.jobs.splice(batch.jobs.indexOf(job), 1);
      this.#tellEnd(job, stopped, 0);
      if (batch.jobs.length === 0) this.#free(slot);
      return;
    }
    slot.thread.abort(key);
    batch.timers.push(this.#options.clock.setTimer(this.#options.abortGraceMs, () => this.#kill(slot, stopped)));
  }

  askSnapshot(ref: AttemptRef): void {
    const key = attemptKey(ref);
    this.#find(key)?.slot.thread.askSnapshot(key);
  }

  resize(concurrency: number): void {
    this.#concurrency = concurrency;
    for (const slot of this.#slots) this.#retireIfWorn(slot);
    this.#assign();
  }

  recycle(): void {
    for (const slot of this.#slots) {
      slot.worn = true;
      this.#retireIfWorn(slot);
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#waiting = [];
    for (const slot of this.#slots) this.#discard(slot);
    return Promise.resolve();
  }

  /** In a while, so that jobs which come together go together. */
  #assignSoon(): void {
    if (this.#isAssigning) return;
    this.#isAssigning = true;
    queueMicrotask(() => {
      this.#isAssigning = false;
      this.#assign();
    });
  }

  #assign(): void {
    while (!this.#closed && this.#waiting.length > 0) {
      const slot = this.#idleSlot() ?? this.#newSlot();
      if (!slot) return;
      slot.batch = { jobs: this.#takeJobs(slot), timers: [], begunMs: null };
      void this.#compute(slot, slot.batch);
    }
  }

  /** The job that has waited longest; if it is brief, this slot’s share of those that follow, as far as they are brief too. */
  #takeJobs(slot: Slot): Job[] {
    const firstOther = this.#waiting.findIndex((job) => !job.isBrief);
    const briefCount = firstOther < 0 ? this.#waiting.length : firstOther;
    const share = Math.ceil(briefCount / (this.#idleCount() + this.#concurrency - this.#slots.size));
    const untilWorn = (this.#options.maxTasksPerThread ?? Infinity) - slot.done;
    return this.#waiting.splice(0, Math.max(1, Math.min(share, maxBatchJobs, untilWorn)));
  }

  #idleCount(): number {
    let count = 0;
    for (const slot of this.#slots) if (!slot.batch && !slot.worn) count++;
    return count;
  }

  #idleSlot(): Slot | undefined {
    for (const slot of this.#slots) if (!slot.batch && !slot.worn) return slot;
    return undefined;
  }

  #newSlot(): Slot | undefined {
    if (this.#slots.size >= this.#concurrency) return undefined;
    const thread = this.#options.start(this.#hooks());
    const slot: Slot = { thread, batch: null, done: 0, worn: false };
    thread.onFailure((message) => this.#kill(slot, failure('task_failed', `The compute thread ended: ${message}`)));
    this.#slots.add(slot);
    return slot;
  }

  async #compute(slot: Slot, batch: Batch): Promise<void> {
    try {
      await slot.thread.ready;
      if (slot.batch !== batch) return;
      this.#begin(slot, batch);
      const jobs = [...batch.jobs];
      const tellsMemory = this.#options.maxMemoryBytes !== null;
      const report = await slot.thread.run(
        jobs.map(({ assignment }) => assignment),
        tellsMemory,
      );
      if (slot.batch !== batch) return;
      this.#wear(slot, jobs.length, report);
      this.#free(slot);
      report.attempts.forEach(({ outcome, runtimeMs }, index) => {
        const job = jobs[index];
        if (job) this.#tellEnd(job, job.stopped ? stopped : outcome, runtimeMs);
      });
    } catch (error) {
      if (slot.batch !== batch) return;
      this.#kill(slot, failure('task_failed', error instanceof Error ? error.message : String(error)));
    }
  }

  #begin(slot: Slot, batch: Batch): void {
    const { clock } = this.#options;
    const begunMs = clock.now();
    batch.begunMs = begunMs;
    const limitMs = Math.min(...batch.jobs.map(({ assignment }) => assignment.time_limit_ms));
    const kill = () => {
      const message = `The hard time limit of ${limitMs / 1000} s is over.`;
      this.#kill(slot, failure('time_limit_exceeded', message), clock.now() - begunMs);
    };
    batch.timers.push(clock.setTimer(limitMs, kill));
    const tellStarted = () => {
      for (const job of batch.jobs) job.tell({ type: 'started' });
    };
    if (batch.jobs[0]?.isBrief === true) batch.timers.push(clock.setTimer(tellBriefAfterMs, tellStarted));
    else tellStarted();
  }

  #wear(slot: Slot, jobCount: number, { memoryBytes }: ThreadReport): void {
    const { maxTasksPerThread, maxMemoryBytes } = this.#options;
    slot.done += jobCount;
    if (maxTasksPerThread !== null && slot.done >= maxTasksPerThread) slot.worn = true;
    if (maxMemoryBytes !== null && (memoryBytes ?? 0) > maxMemoryBytes) slot.worn = true;
  }

  /** The batch is over; its thread lives on unless it is worn. */
  #free(slot: Slot): void {
    this.#cancelTimers(slot);
    slot.batch = null;
    this.#retireIfWorn(slot);
    this.#assignSoon();
  }

  /** The thread is over. Of one job it is known what that means; of several, which were to be brief, each is computed again by itself. */
  #kill(slot: Slot, outcome: Outcome, runtimeMs = 0): void {
    if (!this.#slots.has(slot)) return;
    const jobs = slot.batch?.jobs ?? [];
    this.#discard(slot);
    const suspects = jobs.filter((job) => !job.stopped);
    for (const job of jobs) if (job.stopped) this.#tellEnd(job, stopped, runtimeMs);
    const [only] = suspects;
    if (jobs.length === 1 && only) this.#tellEnd(only, outcome, runtimeMs);
    else this.#waiting.unshift(...suspects.map((job) => ({ ...job, isBrief: false, transfers: null })));
    this.#assignSoon();
  }

  #retireIfWorn(slot: Slot): void {
    if (!slot.batch && (slot.worn || this.#slots.size > this.#concurrency)) this.#discard(slot);
  }

  #discard(slot: Slot): void {
    this.#slots.delete(slot);
    this.#cancelTimers(slot);
    for (const job of slot.batch?.jobs ?? []) job.transfers?.abort();
    slot.batch = null;
    slot.thread.terminate();
  }

  #tellEnd(job: Job, outcome: Outcome, runtimeMs: number): void {
    job.transfers?.abort();
    job.tell({ type: 'finished', outcome, runtimeMs });
  }

  #cancelTimers(slot: Slot): void {
    for (const cancel of slot.batch?.timers ?? []) cancel();
  }

  #find(key: string): { slot: Slot; batch: Batch; job: Job } | undefined {
    for (const slot of this.#slots) {
      const { batch } = slot;
      const job = batch?.jobs.find(({ assignment }) => attemptKey(assignment) === key);
      if (batch && job) return { slot, batch, job };
    }
    return undefined;
  }

  /** What threads ask for. A message of an attempt that is over finds no job and is dropped. */
  #hooks(): ThreadHooks {
    const { files } = this.#options;
    const jobOf = (key: string) => this.#find(key)?.job;
    const withJob = <T>(key: string, work: (job: Job, signal: AbortSignal) => Promise<T>) =>
      replyOf(async () => {
        const job = jobOf(key);
        if (!job || job.stopped) throw new TabgridError('revoked', 'The task was stopped.');
        job.transfers ??= new AbortController();
        return work(job, job.transfers.signal);
      });
    return {
      progress: (key, progress) => jobOf(key)?.tell({ type: 'progress', progress }),
      snapshot: (key, snapshot) => jobOf(key)?.tell({ type: 'snapshot', snapshot }),
      readFile: (key, path) =>
        withJob(key, ({ assignment }, signal) => files(assignment.edge ?? 0).read(assignment.owner, path, signal)),
      readRecords: (key, path, part) =>
        withJob(key, ({ assignment }, signal) =>
          files(assignment.edge ?? 0).records(assignment.owner, path, part, signal),
        ),
      writeFile: (key, path, bytes, contentType) =>
        withJob(key, ({ assignment }, signal) =>
          files(assignment.edge ?? 0).write(assignment.owner, path, bytes, contentType, signal),
        ),
    };
  }
}
