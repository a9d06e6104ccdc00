import { standardQueues, tasksThatRunOn } from '#catalog';
import { reconnectPolicy, retryDelayMs, TabgridError, type ErrorCode, type WorkerId } from '#protocol';
import {
  delay,
  HttpFiles,
  sessionDefaults,
  startThread,
  ThreadPool,
  WebSocketTransport,
  WorkerSession,
  type Clock,
  type SessionEvent,
  type Thread,
  type WebSocketLike,
} from '../../worker/index.ts';
import type { Link, WorkStatus } from '../work-status.ts';
import type { Kernels } from './kernels.ts';
import { Ledger } from './ledger.ts';
import { LentCores } from './lent-cores.ts';

export interface BeginOptions {
  /** The page’s number for this begin; the status repeats it. */
  turn: number;
  /** The edge’s origin. */
  url: string;
  token: string;
  /** Cores to compute on. */
  cores: number;
  /** Browser and system in words, for the worker table. */
  description: string;
}

export interface CoordinatorParts {
  clock: Clock;
  fetch: typeof fetch;
  openSocket: (url: string, protocols: string[]) => WebSocketLike;
  /** `onMissing` is called when the core’s script is gone. */
  spawnCore: (onMissing: () => void) => Thread;
  loadKernels: () => Promise<Kernels>;
  /** Distinguishes this tab from all others; the same over reconnects. */
  workerName: string;
}

const maxCachedFileBytes = 64 * 1024 * 1024;
/** How long a stopped task may take to end by itself before its Web Worker is ended. */
/**
 * A core’s Web Worker is replaced after so many tasks: no browser tells a worker what memory it holds, and whatever leaks there ends with
 * it. A new one costs some ten milliseconds.
 */
const maxTasksPerCore = 1000;
const abortGraceMs = 1000;
const handBackGraceMs = 2000;
/** A connection that is not back after this long counts as lost; a change of the dial makes a new one within milliseconds. */
const lostAfterMs = 700;
const firstConnectionMs = 3000;
/** The page is told at most this often. */
const publishEveryMs = 150;

interface Present {
  session: WorkerSession;
  pool: ThreadPool;
  /** The page asked for the end. */
  leaving: boolean;
}

/**
 * Keeps the connection and the cores of a tab. It lives in a dedicated Web Worker of its own, because browsers slow the timers of hidden
 * pages to one a second, later one a minute, which is too slow for a lease of 30 s; and because a busy page must not delay a heartbeat.
 */
export class Coordinator {
  readonly #parts: CoordinatorParts;
  readonly #ledger = new Ledger();
  #kernels: Kernels | null = null;
  #present: Present | null = null;
  #link: Link = { type: 'off' };
  #tell: (status: WorkStatus) => void = () => undefined;
  #publishing = false;
  #turn = 0;
  #cores = 1;
  /** Aborted when what was begun is no longer wanted. */
  #wanted = new AbortController();

  constructor(parts: CoordinatorParts) {
    this.#parts = parts;
  }

  get status(): WorkStatus {
    return { turn: this.#turn, link: this.#link, workerName: this.#parts.workerName, ...this.#ledger.view() };
  }

  listen(tell: (status: WorkStatus) => void): void {
    this.#tell = tell;
    this.#publish();
  }

  /** Connects and computes until `rest`, `leave` or a refusal, which the status tells. Does nothing while it already does. */
  async begin(options: BeginOptions): Promise<void> {
    if (this.#present !== null) return;
    this.#wanted.abort();
    this.#turn = options.turn;
    this.#cores = options.cores;
    this.#wanted = new AbortController();
    const { signal } = this.#wanted;
    this.#setLink({ type: 'connecting' });
    this.#kernels ??= await this.#fetchKernels(signal);
    if (signal.aborted || this.#kernels === null) return;
    const present = this.#connect(options, this.#kernels);
    this.#present = present;
    void present.session.closed.then((error) => this.#closed(present, error));
    present.session.start();
    this.#expectConnection(firstConnectionMs);
  }

  /** More cores begin at once; fewer hand back what the others held. */
  setCores(cores: number): void {
    this.#cores = cores;
    this.#present?.session.resize(cores);
  }

  /** Leaves in good order: snapshots, hands back, says goodbye. Resolves when nothing is held any more. */
  async rest(reason: string, graceMs: number): Promise<void> {
    await this.#part()?.session.drain(reason, graceMs);
  }

  /** Leaves within this call, for a page that is about to vanish or to be frozen. */
  leave(reason: string): void {
    this.#part()?.session.leave(reason);
  }

  #part(): Present | null {
    this.#wanted.abort();
    if (this.#present === null) this.#setLink({ type: 'off' });
    else this.#present.leaving = true;
    return this.#present;
  }

  /** Tries until they are here, as long as they are wanted; the link tells of failures. */
  async #fetchKernels(signal: AbortSignal): Promise<Kernels | null> {
    const { clock, loadKernels } = this.#parts;
    const isOver = () => signal.aborted;
    for (let tries = 0; !isOver(); tries++) {
      try {
        return await loadKernels();
      } catch (error) {
        if (isOver()) return null;
        if (!(error instanceof TabgridError) || error.code !== 'unavailable') {
          this.#refused(error);
          return null;
        }
        this.#setLink({ type: 'retrying' });
        await delay(clock, retryDelayMs(reconnectPolicy, tries, clock.random()), signal);
      }
    }
    return null;
  }

  #connect({ url, token, description }: BeginOptions, kernels: Kernels): Present {
    const cores = this.#cores;
    const { clock, fetch, openSocket, spawnCore, workerName } = this.#parts;
    const files = new HttpFiles({ url, token: () => token, fetch, clock, cacheBytes: maxCachedFileBytes });
    const settings = { kernels: kernels.module, kernelDigest: kernels.digest, workerName, extraBodies: null };
    const pool = new ThreadPool({
      start: (hooks) =>
        startThread(
          spawnCore(() => this.#outdated()),
          hooks,
          settings,
        ),
      files: () => files,
      clock,
      concurrency: cores,
      maxTasksPerThread: maxTasksPerCore,
      maxMemoryBytes: null,
      abortGraceMs,
    });
    const executor = new LentCores(pool, {
      ledger: this.#ledger,
      clock,
      handBackGraceMs,
      onChange: () => this.#publish(),
    });
    const session = new WorkerSession(
      {
        ...sessionDefaults,
        workerId: workerName as WorkerId,
        name: workerName,
        queues: standardQueues,
        concurrency: cores,
        capabilities: {
          runtime: 'tab',
          cores,
          gpu: false,
          tasks: tasksThatRunOn('tab'),
          evaluators: [],
          description,
        },
        kernelDigest: kernels.digest,
      },
      {
        transports: [new WebSocketTransport({ url, token: () => token, open: openSocket, fetch })],
        executor,
        clock,
        onEvent: (event) => this.#heard(event),
      },
    );
    return { session, pool, leaving: false };
  }

  #heard(event: SessionEvent): void {
    if (event.type !== 'phase') return;
    switch (event.phase) {
      case 'connecting':
        this.#expectConnection(lostAfterMs);
        return;
      case 'hello':
        return;
      case 'working':
        this.#setLink({ type: 'online' });
        return;
      case 'draining':
      case 'closed':
        return;
    }
  }

  #closed(present: Present, error: TabgridError | null): void {
    void present.pool.close();
    if (this.#present !== present) return;
    this.#present = null;
    this.#ledger.clear(this.#parts.clock.now());
    if (error) this.#refused(error);
    else this.#setLink({ type: present.leaving ? 'off' : 'dismissed' });
  }

  #expectConnection(withinMs: number): void {
    const present = this.#present;
    this.#parts.clock.setTimer(withinMs, () => {
      if (present === null || present !== this.#present) return;
      if (['connecting', 'hello'].includes(present.session.phase)) this.#setLink({ type: 'retrying' });
    });
  }

  #refused(error: unknown): void {
    const code: ErrorCode = error instanceof TabgridError ? error.code : 'internal';
    this.#setLink({ type: 'refused', code, message: error instanceof Error ? error.message : String(error) });
  }

  /** A newer deployment has replaced what this page was built with: it leaves before a task fails for it. */
  #outdated(): void {
    const present = this.#present;
    if (present === null) return;
    this.#present = null;
    present.session.leave('the page is out of date');
    this.#ledger.clear(this.#parts.clock.now());
    this.#refused(new TabgridError('upgrade_required', 'The server has a newer version of this page.'));
  }

  #setLink(link: Link): void {
    this.#link = link;
    this.#publish();
  }

  #publish(): void {
    if (this.#publishing) return;
    this.#publishing = true;
    this.#parts.clock.setTimer(publishEveryMs, () => {
      this.#publishing = false;
      this.#tell(this.status);
    });
  }
}
