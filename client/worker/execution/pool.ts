import { TabgridError, type Assignment, type AttemptRef, type Outcome } from '#protocol';
import type { FileStore } from '../files/http-files.ts';
import type { Clock } from '../lib/clock.ts';
import { attemptKey, type ExecutionListener, type Executor } from './executor.ts';
import { failure } from './failure.ts';
import type { RunningThread } from './remote-thread.ts';
import type { ThreadHooks, ThreadReport } from './thread.ts';
import { replyOf } from './thread.ts';

export interface PoolOptions {
  /** Starts a new thread that runs a `ComputeThread`. */
  start: (hooks: ThreadHooks) => RunningThread;
  files: FileStore;
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

interface Job {
  readonly assignment: Assignment;
  readonly tell: ExecutionListener;
  /** Aborts the transfers of files. */
  readonly transfers: AbortController;
  readonly timers: (() => void)[];
  begun: boolean;
  stopped: boolean;
}

interface Slot {
  readonly thread: RunningThread;
  job: Job | null;
  done: number;
  /** To be replaced as soon as it has nothing to do. */
  worn: boolean;
}

/** Computes each attempt in a thread of its own that can be ended at the hard time limit: worker threads in Node, Web Workers in a browser. */
export class ThreadPool implements Executor {
  readonly #options: PoolOptions;
  readonly #slots = new Set<Slot>();
  readonly #waiting: Job[] = [];
  #concurrency: number;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency;
  }

  /** Threads that exist now. */
  get threadCount(): number {
    return this.#slots.size;
  }

  start(assignment: Assignment, tell: ExecutionListener): void {
    const transfers = new AbortController();
    this.#waiting.push({ assignment, tell, transfers, timers: [], begun: false, stopped: false });
    this.#assign();
  }

  abort(ref: AttemptRef): void {
    const key = attemptKey(ref);
    const waitingAt = this.#waiting.findIndex((job) => attemptKey(job.assignment) === key);
    const [waiting] = waitingAt < 0 ? [] : this.#waiting.splice(waitingAt, 1);
    if (waiting) this.#tellEnd(waiting, { type: 'revoked' }, 0);
    const slot = this.#slotOf(key);
    const job = slot?.job;
    if (!slot || !job || job.stopped) return;
    job.stopped = true;
    job.transfers.abort(new TabgridError('revoked', 'The task was stopped.'));
    if (!job.begun) {
      this.#end(slot, job, { type: 'revoked' }, 0);
      return;
    }
    slot.thread.abort();
    const kill = () => this.#kill(slot, { type: 'revoked' });
    job.timers.push(this.#options.clock.setTimer(this.#options.abortGraceMs, kill));
  }

  askSnapshot(ref: AttemptRef): void {
    this.#slotOf(attemptKey(ref))?.thread.askSnapshot();
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
    this.#waiting.length = 0;
    for (const slot of this.#slots) {
      this.#cancelTimers(slot.job);
      this.#discard(slot);
    }
    return Promise.resolve();
  }

  #assign(): void {
    while (!this.#closed && this.#waiting.length > 0) {
      const slot = this.#idleSlot() ?? this.#newSlot();
      const job = slot && this.#waiting.shift();
      if (!slot || !job) return;
      slot.job = job;
      void this.#compute(slot, job);
    }
  }

  #idleSlot(): Slot | undefined {
    for (const slot of this.#slots) if (!slot.job && !slot.worn) return slot;
    return undefined;
  }

  #newSlot(): Slot | undefined {
    if (this.#slots.size >= this.#concurrency) return undefined;
    const thread = this.#options.start(this.#hooks());
    const slot: Slot = { thread, job: null, done: 0, worn: false };
    thread.onFailure((message) => this.#kill(slot, failure('task_failed', `The compute thread ended: ${message}`)));
    this.#slots.add(slot);
    return slot;
  }

  async #compute(slot: Slot, job: Job): Promise<void> {
    try {
      await slot.thread.ready;
      if (slot.job !== job) return;
      this.#begin(slot, job);
      const report: ThreadReport = await slot.thread.run(job.assignment);
      if (slot.job !== job) return;
      this.#wear(slot, report.memoryBytes);
      this.#end(slot, job, job.stopped ? { type: 'revoked' } : report.outcome, report.runtimeMs);
    } catch (error) {
      if (slot.job !== job) return;
      this.#kill(slot, failure('task_failed', error instanceof Error ? error.message : String(error)));
    }
  }

  #begin(slot: Slot, job: Job): void {
    const { clock } = this.#options;
    const limitMs = job.assignment.time_limit_ms;
    const begunMs = clock.now();
    job.begun = true;
    job.timers.push(
      clock.setTimer(limitMs, () => {
        const message = `The hard time limit of ${limitMs / 1000} s is over.`;
        this.#kill(slot, failure('time_limit_exceeded', message), clock.now() - begunMs);
      }),
    );
    job.tell({ type: 'started' });
  }

  #wear(slot: Slot, memoryBytes: number | null): void {
    const { maxTasksPerThread, maxMemoryBytes } = this.#options;
    slot.done++;
    if (maxTasksPerThread !== null && slot.done >= maxTasksPerThread) slot.worn = true;
    if (maxMemoryBytes !== null && (memoryBytes ?? 0) > maxMemoryBytes) slot.worn = true;
  }

  /** The job is over; its thread lives on unless it is worn. */
  #end(slot: Slot, job: Job, outcome: Outcome, runtimeMs: number): void {
    slot.job = null;
    this.#retireIfWorn(slot);
    this.#tellEnd(job, outcome, runtimeMs);
    this.#assign();
  }

  /** The thread is over, and with it its job. */
  #kill(slot: Slot, outcome: Outcome, runtimeMs = 0): void {
    if (!this.#slots.has(slot)) return;
    const { job } = slot;
    slot.job = null;
    this.#discard(slot);
    if (job) this.#tellEnd(job, job.stopped ? { type: 'revoked' } : outcome, runtimeMs);
    this.#assign();
  }

  #retireIfWorn(slot: Slot): void {
    if (!slot.job && (slot.worn || this.#slots.size > this.#concurrency)) this.#discard(slot);
  }

  #discard(slot: Slot): void {
    this.#slots.delete(slot);
    slot.job?.transfers.abort();
    slot.job = null;
    slot.thread.terminate();
  }

  #tellEnd(job: Job, outcome: Outcome, runtimeMs: number): void {
    this.#cancelTimers(job);
    job.transfers.abort();
    job.tell({ type: 'finished', outcome, runtimeMs });
  }

  #cancelTimers(job: Job | null): void {
    for (const cancel of job?.timers ?? []) cancel();
  }

  #slotOf(key: string): Slot | undefined {
    for (const slot of this.#slots) if (slot.job && attemptKey(slot.job.assignment) === key) return slot;
    return undefined;
  }

  /** What threads ask for. A message of an attempt that is over finds no job and is dropped. */
  #hooks(): ThreadHooks {
    const { files } = this.#options;
    const jobOf = (key: string) => this.#slotOf(key)?.job;
    const withJob = <T>(key: string, work: (job: Job) => Promise<T>) =>
      replyOf(async () => {
        const job = jobOf(key);
        if (!job) throw new TabgridError('revoked', 'The task was stopped.');
        return work(job);
      });
    return {
      progress: (key, progress) => jobOf(key)?.tell({ type: 'progress', progress }),
      snapshot: (key, snapshot) => jobOf(key)?.tell({ type: 'snapshot', snapshot }),
      readFile: (key, path) =>
        withJob(key, ({ assignment, transfers }) => files.read(assignment.owner, path, transfers.signal)),
      writeFile: (key, path, bytes, contentType) =>
        withJob(key, ({ assignment, transfers }) =>
          files.write(assignment.owner, path, bytes, contentType, transfers.signal),
        ),
    };
  }
}
