import { limits, TabgridError, type Principal, type Submitted, type SubmitterFrame } from '#protocol';
import type { Core } from './core.ts';
import { keyOf, lookAt, parseSubmitterFrame, Preparation, submissionError } from './submission.ts';
import { submit } from './submit.ts';
import { say, type Submitters } from './submitters.ts';

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

  /** Answers when what the frame asks for is committed. */
  async take(socket: WebSocket, principal: Principal, message: string | ArrayBuffer): Promise<void> {
    let frame: SubmitterFrame;
    try {
      frame = parseSubmitterFrame(message);
    } catch (error) {
      say(socket, { type: 'error', error: submissionError(error) });
      return;
    }
    if (frame.type === 'watch') {
      this.#watch(socket, principal, frame);
      return;
    }
    try {
      const { tasks, watched } = await this.#submit(socket, principal, frame);
      say(socket, { type: 'submitted', request_id: frame.request_id, tasks, watched });
    } catch (error) {
      say(socket, { type: 'refused', request_id: frame.request_id, error: submissionError(error) });
    }
  }

  async #submit(
    socket: WebSocket,
    principal: Principal,
    frame: Extract<SubmitterFrame, { type: 'submit' }>,
  ): Promise<{ tasks: Submitted[]; watched: boolean }> {
    const submitter = this.#submitters.of(socket);
    const count = frame.tasks.length;
    if (submitter !== undefined && submitter.unanswered + count > maxUnanswered) {
      throw new TabgridError('rate_limited', `tasks: ${submitter.unanswered} of yours wait for their answer`, {
        retryAfterSeconds: 1,
      });
    }
    const tasks = this.#preparation.all(principal, frame.tasks);
    if (submitter !== undefined) submitter.unanswered += count;
    try {
      return await this.#commit(() => {
        const submitted = submit(this.#core, principal.sub, tasks, keyOf(frame));
        const watched = submitter !== undefined && submitter.watched.size + count <= maxWatched;
        if (watched) for (const { task_id: id } of submitted) this.#submitters.watch(socket, id);
        return { tasks: submitted, watched };
      }, count);
    } finally {
      if (submitter !== undefined) submitter.unanswered -= count;
    }
  }

  #watch(socket: WebSocket, principal: Principal, frame: Extract<SubmitterFrame, { type: 'watch' }>): void {
    const { ended, open, unknown } = lookAt(this.#core, principal, frame.task_ids);
    for (const id of open) this.#submitters.watch(socket, id);
    if (ended.length > 0 || unknown.length > 0) say(socket, { type: 'results', items: ended, unknown });
  }
}
