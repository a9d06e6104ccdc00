import {
  isDeeperThan,
  isLongerThan,
  limits,
  TabgridError,
  type ControlCommand,
  type Json,
  type JsonObject,
  type WorkerAnswer,
  type WorkerAnswers,
  type WorkerFrame,
  type WorkerId,
} from '#protocol';
import type { Clock } from '../lib/clock.ts';
import { send, type Sessions } from './sessions.ts';

/** Of one worker; all that are asked are in one answer. */
const maxReplyBytes = 64 * 1024;

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
  ask(workerId: WorkerId, command: ControlCommand, args: JsonObject, timeoutMs = this.#timeoutMs): Promise<Json> {
    const session = this.#sessions.byWorker(workerId);
    if (session === undefined) throw new TabgridError('not_found', `no worker ${workerId} is connected`);
    const requestId = `${this.#clock.now()}-${this.#asked++}`;
    return new Promise<Json>((resolve, reject) => {
      const cancel = this.#clock.setTimer(timeoutMs, () => {
        this.#waiting.delete(requestId);
        const seconds = timeoutMs / 1000;
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

  /** Asks several at the same time. @returns their answers, in the order asked, and who did not answer within `timeoutMs` or went away meanwhile. */
  async askMany(
    workerIds: readonly WorkerId[],
    command: ControlCommand,
    args: JsonObject,
    timeoutMs: number,
  ): Promise<WorkerAnswers> {
    const askOne = async (id: WorkerId): Promise<WorkerAnswer | null> => {
      const name = this.#sessions.byWorker(id)?.worker.profile.name ?? id;
      try {
        return { worker_id: id, name, reply: await this.ask(id, command, args, timeoutMs) };
      } catch (error) {
        if (!(error instanceof TabgridError)) throw error;
        return error.code === 'conflict' ? { worker_id: id, name, error: error.message } : null;
      }
    };
    const answers = await Promise.all(workerIds.map(askOne));
    return {
      replies: answers.filter((answer) => answer !== null),
      silent: workerIds.filter((_, at) => answers[at] === null),
    };
  }

  /** A worker has replied. Replies to questions that it wasn’t asked are dropped. */
  reply(workerId: WorkerId, frame: Reply): void {
    const question = this.#waiting.get(frame.request_id);
    if (question?.workerId === workerId) question.answer(bounded(frame.reply));
  }
}

/** What one worker says must not keep the others’ answers from arriving. */
function bounded(reply: Reply['reply']): Reply['reply'] {
  if (!('ok' in reply)) return reply;
  if (isDeeperThan(reply.ok, limits.maxJsonDepth)) {
    return { error: `the reply is nested more than ${limits.maxJsonDepth} levels deep` };
  }
  const isLong = isLongerThan(JSON.stringify(reply.ok), maxReplyBytes);
  return isLong ? { error: `the reply has more than ${maxReplyBytes} bytes` } : reply;
}
