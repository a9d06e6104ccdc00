import { limits, TabgridError, type Principal, type Submitted, type SubmitterFrame, type TaskId } from '#protocol';
import type { Core } from './core.ts';
import { requestKey } from './idempotency.ts';
import {
  lookAt,
  Misfit,
  parseSubmitterFrame,
  Preparation,
  readSubmitterMessage,
  requestOf,
  submissionError,
} from './submission.ts';
import { submit } from './submit.ts';
import type { Submitters } from './submitters.ts';

/** Tasks of one submitter that may wait for their answer; more are refused until some have had it. */
const maxUnanswered = 10 * limits.maxTasksPerRequest;

/** Tasks that a socket watches because it has submitted them: whoever submits without end and never looks must not fill the memory. */
const maxWatched = 20_000;

type Commit = <T>(work: () => T, weight: number) => Promise<T>;

/** What submitters say on their sockets. */
export class Submitting {
  readonly #core: Core;
  readonly #submitters: Submitters;
  readonly #commit: Commit;
  readonly #preparation: Preparation;

  constructor(core: Core, submitters: Submitters, commit: Commit) {
    this.#core = core;
    this.#submitters = submitters;
    this.#commit = commit;
    this.#preparation = new Preparation(core);
  }

  /** Answers when what the frames ask for is committed. */
  async take(socket: WebSocket, principal: Principal, message: string | ArrayBuffer): Promise<void> {
    const frames = this.#read(socket, () => readSubmitterMessage(message)) ?? [];
    await Promise.all(frames.map((frame) => this.#takeFrame(socket, principal, frame)));
  }

  async #takeFrame(socket: WebSocket, principal: Principal, json: unknown): Promise<void> {
    const frame = this.#read(socket, () => parseSubmitterFrame(json));
    if (frame === null) return;
    if (frame.type === 'watch') {
      this.#tell(socket, this.#watch(socket, principal, frame.task_ids));
      return;
    }
    try {
      const { tasks, found } = await this.#submit(socket, principal, frame);
      this.#submitters.say(socket, {
        type: 'submitted',
        request_id: frame.request_id,
        tasks,
        watched: found !== null,
      });
      if (found !== null) this.#tell(socket, found);
    } catch (error) {
      this.#submitters.say(socket, { type: 'refused', request_id: frame.request_id, error: submissionError(error) });
    }
  }

  #read<T>(socket: WebSocket, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      this.#submitters.say(
        socket,
        error instanceof Misfit
          ? { type: 'refused', request_id: error.requestId, error: submissionError(error) }
          : { type: 'error', error: submissionError(error) },
      );
      return null;
    }
  }

  /** `found`: what of its tasks is over already, where it is a repeat; null when they cannot be watched. */
  async #submit(
    socket: WebSocket,
    principal: Principal,
    frame: Extract<SubmitterFrame, { type: 'submit' }>,
  ): Promise<{ tasks: Submitted[]; found: Found | null }> {
    const submitter = this.#submitters.of(socket);
    const count = frame.tasks.length;
    if (submitter !== undefined && submitter.unanswered + count > maxUnanswered) {
      throw new TabgridError('rate_limited', `tasks: ${submitter.unanswered} of yours wait for their answer`, {
        retryAfterSeconds: 1,
      });
    }
    const texts = frame.tasks.map((task) => JSON.stringify(task));
    const tasks = this.#preparation.all(principal, frame.tasks, texts);
    const request = requestOf(frame.key, texts);
    if (request !== undefined) this.#core.keys.expect(principal.sub, requestKey(request.key));
    if (submitter !== undefined) submitter.unanswered += count;
    try {
      return await this.#commit(() => {
        const submitted = submit(this.#core, principal.sub, tasks, request);
        const hasRoom = submitter !== undefined && submitter.watched.size + count <= maxWatched;
        const ids = submitted.map(({ task_id: id }) => id);
        return { tasks: submitted, found: hasRoom ? this.#watch(socket, principal, ids) : null };
      }, count);
    } finally {
      if (submitter !== undefined) submitter.unanswered -= count;
    }
  }

  /** Watches what is not over. @returns the rest */
  #watch(socket: WebSocket, principal: Principal, ids: readonly TaskId[]): Found {
    const { open, ...found } = lookAt(this.#core, principal, ids);
    for (const id of open) this.#submitters.watch(socket, id);
    return found;
  }

  #tell(socket: WebSocket, { ended, unknown }: Found): void {
    this.#submitters.tellEnds(socket, ended);
    if (unknown.length > 0) this.#submitters.say(socket, { type: 'results', items: [], unknown });
  }
}

type Found = Omit<ReturnType<typeof lookAt>, 'open'>;
