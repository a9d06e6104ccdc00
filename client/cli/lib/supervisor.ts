import { setTimeout as sleep } from 'node:timers/promises';
import { retryDelayMs, type RetryPolicy } from '#protocol';

/** At once after the first death, then ever slower, so that a fault that is there to stay does not burn the processor. */
const restartPolicy: RetryPolicy = { baseDelayMs: 100, factor: 2, maxDelayMs: 10_000, jitter: false };

/** A process that has lived this long has recovered: the next death counts as the first again. */
const healthyMs = 30_000;

/** How long open requests may still take when it is told to stop. */
const stopGraceMs = 2_000;

/** A running process, as a supervisor sees it. */
export interface SupervisedProcess {
  readonly pid: number;
  /** Resolves when it is gone, with the reason in words. */
  readonly ended: Promise<string>;
  /** Asks it to end, and insists after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface SupervisorOptions<Supervised extends SupervisedProcess> {
  /** What it is, for messages. */
  readonly name: string;
  /** Starts a process; called anew after each death. */
  spawn(): Promise<Supervised>;
  /** Resolves when the process is at work. */
  ready(process: Supervised): Promise<void>;
  /** Told of each process that was started, and of null when there is none. */
  onProcess(pid: number | null): Promise<void>;
  /** Told when it died unasked, and when it answers again. */
  onNotice(message: string): void;
}

/** Keeps one process running until it is told to stop. */
export class Supervisor<Supervised extends SupervisedProcess> {
  readonly #options: SupervisorOptions<Supervised>;
  readonly #stopping = new AbortController();
  #current: Supervised | null = null;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: SupervisorOptions<Supervised>) {
    this.#options = options;
  }

  /** Resolves when the first process is ready. A process that cannot start the first time will not the second: the error is thrown. */
  async start(): Promise<void> {
    const first = await this.#launch();
    this.#loop = this.#watch(first);
  }

  get pid(): number | null {
    return this.#current?.pid ?? null;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#current?.stop(stopGraceMs);
    await this.#loop;
  }

  #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #launch(): Promise<Supervised> {
    const process = await this.#options.spawn();
    this.#current = process;
    try {
      await this.#options.onProcess(process.pid);
      await this.#options.ready(process);
      return process;
    } catch (error) {
      await process.stop(0);
      this.#current = null;
      throw error;
    }
  }

  async #watch(first: Supervised): Promise<void> {
    let process: Supervised | null = first;
    let deaths = 0;
    let startedMs = performance.now();
    while (!this.#stopped()) {
      if (process !== null) {
        const reason = await process.ended;
        this.#current = null;
        await this.#options.onProcess(null);
        if (this.#stopped()) return;
        if (performance.now() - startedMs >= healthyMs) deaths = 0;
        this.#options.onNotice(`the ${this.#options.name} ended (${reason}); starting it again`);
      }
      await pause(retryDelayMs(restartPolicy, deaths++, 0), this.#stopping.signal);
      if (this.#stopped()) return;
      process = await this.#relaunch();
      startedMs = performance.now();
    }
  }

  async #relaunch(): Promise<Supervised | null> {
    try {
      const process = await this.#launch();
      if (this.#stopped()) await process.stop(stopGraceMs);
      else this.#options.onNotice(`the ${this.#options.name} is back`);
      return process;
    } catch (error) {
      if (!this.#stopped()) {
        this.#options.onNotice(
          `the ${this.#options.name} did not start: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      return null;
    }
  }
}

/** Resolves after a while, or at once when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
