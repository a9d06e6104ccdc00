import {
  TabgridError,
  type ControlCommand,
  type Json,
  type JsonObject,
  type WorkerFrame,
  type WorkerId,
} from '#protocol';
import type { Clock } from '../lib/clock.ts';
import { send, type Sessions } from './sessions.ts';

type Reply = Extract<WorkerFrame, { type: 'control_reply' }>;

interface Question {
  readonly workerId: WorkerId;
  readonly answer: (reply: Reply['reply']) => void;
}

/** Questions to workers that await their replies. They live in memory alone: who asked waits for the answer. */
export class Controls {
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<string, Question>();
  #asked = 0;

  constructor(sessions: Sessions, clock: Clock, timeoutMs: number) {
    this.#sessions = sessions;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws TabgridError `not_found` when it isn’t connected, `unavailable` when it doesn’t answer, `conflict` when it can’t do so. */
  ask(workerId: WorkerId, command: ControlCommand, args: JsonObject): Promise<Json> {
    const session = this.#sessions.byWorker(workerId);
    if (session === undefined) throw new TabgridError('not_found', `no worker ${workerId} is connected`);
    const requestId = `${this.#clock.now()}-${this.#asked++}`;
    return new Promise<Json>((resolve, reject) => {
      const cancel = this.#clock.setTimer(this.#timeoutMs, () => {
        this.#waiting.delete(requestId);
        const seconds = this.#timeoutMs / 1000;
        reject(
          new TabgridError('unavailable', `the worker did not answer within ${seconds} s`, { retryAfterSeconds: 1 }),
        );
      });
      const answer = (reply: Reply['reply']): void => {
        cancel();
        this.#waiting.delete(requestId);
        if ('ok' in reply) resolve(reply.ok);
        else reject(new TabgridError('conflict', reply.error));
      };
      this.#waiting.set(requestId, { workerId, answer });
      send(session.socket, { type: 'control', request_id: requestId, command, arguments: args });
    });
  }

  /** A worker has replied. Replies to questions that it wasn’t asked are dropped. */
  reply(workerId: WorkerId, frame: Reply): void {
    const question = this.#waiting.get(frame.request_id);
    if (question?.workerId === workerId) question.answer(frame.reply);
  }
}
