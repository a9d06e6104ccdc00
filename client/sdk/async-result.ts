import { TabgridError, type Progress, type Submitted, type TaskEnd, type TaskId, type TaskView } from '#protocol';
import type { EventFilter, EventStream } from './events.ts';
import { SocketUnusable, type Submission } from './submission.ts';
import type { Transport } from './transport.ts';
import { untilFinal } from './until-final.ts';

/** The time given to `get` has passed, and the task is not final. It goes on. */
export class ResultTimeout extends Error {
  override readonly name = 'ResultTimeout';
  readonly task: TaskView;

  constructor(task: TaskView, seconds: number) {
    super(`task ${task.task_id} is still ${task.state} after ${seconds} s`);
    this.task = task;
  }
}

/** A submitted task: what will become of it. */
export class AsyncResult<Result> {
  readonly id: TaskId;
  readonly #transport: Transport;
  readonly #submission: Submission | null;
  readonly #events: (filter: EventFilter) => EventStream;

  /** @param submission where it was submitted, if that tells how it ends */
  constructor(
    id: TaskId,
    transport: Transport,
    events: (filter: EventFilter) => EventStream,
    submission: Submission | null = null,
  ) {
    this.id = id;
    this.#submission = submission;
    this.#transport = transport;
    this.#events = events;
  }

  /** The task as it is now, or once it is final if that is within `waitSeconds` (at most 60). */
  async view(options: { waitSeconds?: number; signal?: AbortSignal } = {}): Promise<TaskView> {
    return await this.#transport.json<TaskView>({
      path: `/v1/tasks/${this.id}`,
      query: { wait: options.waitSeconds },
      signal: options.signal,
    });
  }

  /**
   * Waits for the result.
   * @throws TabgridError with the code of the failure, `revoked` or `expired`; ResultTimeout when `timeoutSeconds` (default: none) have passed.
   */
  async get(options: { timeoutSeconds?: number; signal?: AbortSignal } = {}): Promise<Result> {
    const { clock } = this.#transport.options;
    const begunMs = clock.now();
    const task = (await this.#told(options)) ?? (await this.#settledSince(begunMs, options));
    if (task.state === 'SUCCESS') return task.result as Result;
    const { type, message, traceback } = task.error ?? {
      type: 'revoked' as const,
      message: `task ${this.id} was revoked`,
    };
    throw new TabgridError(type, message, traceback === undefined ? {} : { details: { traceback } });
  }

  /** `settled`, in what is left of the time that began then. */
  async #settledSince(begunMs: number, options: { timeoutSeconds?: number; signal?: AbortSignal }): Promise<TaskView> {
    const { timeoutSeconds } = options;
    if (timeoutSeconds === undefined) return await this.settled(options);
    const leftSeconds = Math.max(0, timeoutSeconds - (this.#transport.options.clock.now() - begunMs) / 1000);
    try {
      return await this.settled({ ...options, timeoutSeconds: leftSeconds });
    } catch (error) {
      throw error instanceof ResultTimeout ? new ResultTimeout(error.task, timeoutSeconds) : error;
    }
  }

  /** How it ended, from the socket on which it was submitted; undefined where that cannot tell. */
  async #told(options: { timeoutSeconds?: number; signal?: AbortSignal }): Promise<TaskEnd | undefined> {
    if (this.#submission?.isUsable !== true) return undefined;
    try {
      // What most do: an AbortController, and the exception that its end makes, would cost more than all else here.
      if (options.timeoutSeconds === undefined && options.signal === undefined) {
        return await this.#submission.ended(this.id);
      }
      return await this.#toldUnless(this.#submission, options);
    } catch (error) {
      if (error instanceof SocketUnusable) return undefined;
      throw error;
    }
  }

  /** Undefined once the time has passed. */
  async #toldUnless(
    submission: Submission,
    { timeoutSeconds, signal }: { timeoutSeconds?: number; signal?: AbortSignal },
  ): Promise<TaskEnd | undefined> {
    const { clock } = this.#transport.options;
    const over = new AbortController();
    const signals = signal === undefined ? [over.signal] : [over.signal, signal];
    const late =
      timeoutSeconds === undefined ? [] : [clock.sleep(timeoutSeconds * 1000, over.signal).then(() => undefined)];
    try {
      return await Promise.race([submission.ended(this.id, AbortSignal.any(signals)), ...late]);
    } finally {
      over.abort();
    }
  }

  /** Waits until the task is final, however it ends. @throws ResultTimeout */
  async settled(options: { timeoutSeconds?: number; signal?: AbortSignal } = {}): Promise<TaskView> {
    const { timeoutSeconds, ...rest } = options;
    return await untilFinal(
      this.#transport.options.clock,
      timeoutSeconds,
      (waitSeconds) => this.view({ ...rest, waitSeconds }),
      (task) => new ResultTimeout(task, timeoutSeconds ?? Infinity),
    );
  }

  /** Without `terminate` a running attempt may end, but no other follows it. */
  async revoke(options: { terminate?: boolean } = {}): Promise<TaskView> {
    return await this.#transport.json<TaskView>({ method: 'POST', path: `/v1/tasks/${this.id}/revoke`, json: options });
  }

  /** Runs it again, once it is final, as a new task. */
  async retry(): Promise<Submitted> {
    return await this.#transport.json<Submitted>({ method: 'POST', path: `/v1/tasks/${this.id}/retry`, json: {} });
  }

  /** How far it has come, each time it tells; ends when the task is final. */
  async *progress(): AsyncGenerator<Progress, void, undefined> {
    const leaving = new AbortController();
    const events = this.#events({ taskId: this.id, types: ['task-progress'] });
    const steps = events[Symbol.asyncIterator]();
    try {
      await events.opened();
      const over = this.settled({ signal: leaving.signal }).then(() => undefined);
      for (;;) {
        const step = await Promise.race([steps.next(), over]);
        if (step === undefined || step.done === true) return;
        yield (step.value.data ?? {}) as Progress;
      }
    } finally {
      leaving.abort();
      events.close();
    }
  }
}
