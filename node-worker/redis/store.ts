import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Assignment, AttemptRef, Json } from '#protocol';
import { attemptKey, type CandidateValues } from '../../client/worker/index.ts';
import { candidatesOf } from '../evaluators/evaluation.ts';
import { consumerGroup, type RedisKeys } from './keys.ts';
import { answerScript, enqueueScript, removeConsumerScript, renewScript } from './scripts.ts';

/** What became of one candidate. */
export type Answer = { values: CandidateValues } | { error: string };

/** A candidate to evaluate, as its stream’s entry names it. */
export interface QueuedCandidate {
  evaluator: string;
  entry: string;
  /** Task and attempt, as a key. */
  attempt: string;
  index: number;
  /** How often somebody began it and did not end it. */
  losses: number;
}

export interface OutboxEntry {
  entry: string;
  attempt: string;
}

/** An attempt that is over, ready to be written back. */
export interface FinishedAttempt {
  ref: AttemptRef;
  result: Json;
}

export interface Renewal {
  state: 'wanted' | 'dropped' | 'answered';
  answered: number;
  /** Sum of what running candidates have done, each 0 … 1. */
  fractions: number;
}

/** How long an attempt is kept beyond its time limit, for an edge that is away. */
const keepBeyondLimitMs = 7 * 24 * 3_600_000;

/** A living member is heard of every second. */
const forgottenAfterMs = 24 * 3_600_000;

type StreamEntry = [id: string, fields: string[]];

/** The durable queue of evaluations and their answers, shared by all workers with the same Redis and prefix. */
export class EvaluationStore {
  readonly #redis: Redis;
  readonly #keys: RedisKeys;
  readonly #consumer: string;

  /** @param consumer This process’s name in the consumer groups, unlike any other. */
  constructor(redis: Redis, keys: RedisKeys, consumer: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#consumer = consumer;
  }

  /** The name of the group that shares this Redis; the first member chooses it. */
  async groupName(): Promise<string> {
    await this.#redis.set(this.#keys.group, `redis-${randomBytes(6).toString('hex')}`, 'NX');
    return (await this.#redis.get(this.#keys.group)) ?? 'redis';
  }

  /** Makes the streams that this worker reads. */
  async prepare(evaluators: readonly string[]): Promise<void> {
    for (const stream of this.#streams(evaluators)) {
      await this.#redis.xgroup('CREATE', stream, consumerGroup, '0', 'MKSTREAM').catch((error: unknown) => {
        if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
      });
    }
  }

  /** Keeps an attempt durably. A repeat changes nothing. */
  async enqueue(assignment: Assignment, evaluator: string): Promise<void> {
    const key = attemptKey(assignment);
    const total = candidatesOf(assignment).length;
    const keepMs = Math.ceil(assignment.time_limit_ms) + keepBeyondLimitMs;
    const keys = [this.#keys.task(key), this.#keys.candidates(evaluator)];
    await this.#redis.eval(enqueueScript, keys.length, ...keys, key, JSON.stringify(assignment), total, keepMs);
  }

  /** Candidates that wait or are being evaluated. */
  backlog(evaluator: string): Promise<number> {
    return this.#redis.xlen(this.#keys.candidates(evaluator));
  }

  async assignment(attempt: string): Promise<Assignment | null> {
    const json = await this.#redis.hget(this.#keys.task(attempt), 'assignment');
    return json === null ? null : (JSON.parse(json) as Assignment);
  }

  /** Candidates whose worker has been silent for so long that it must be dead. */
  async takeOver(evaluator: string, silentMs: number, count: number): Promise<QueuedCandidate[]> {
    const stream = this.#keys.candidates(evaluator);
    const entries = await this.#claim(stream, silentMs, count);
    const taken: QueuedCandidate[] = [];
    for (const [id, fields] of entries) {
      const [pending] = (await this.#redis.xpending(stream, consumerGroup, id, id, 1)) as [
        string,
        string,
        number,
        number,
      ][];
      taken.push({ ...candidateOf(evaluator, id, fields), losses: Math.max(0, (pending?.[3] ?? 1) - 1) });
    }
    return taken;
  }

  /** @param blocking A connection of its own: it waits up to `waitMs` for something to come. */
  async take(
    blocking: Redis,
    evaluators: readonly string[],
    count: number,
    waitMs: number,
  ): Promise<QueuedCandidate[]> {
    const streams = evaluators.map((name) => this.#keys.candidates(name));
    const from = ['GROUP', consumerGroup, this.#consumer, 'COUNT', String(count), 'BLOCK', String(waitMs), 'STREAMS'];
    const reply = (await blocking.call('XREADGROUP', ...from, ...streams, ...streams.map(() => '>'))) as
      [stream: string, entries: StreamEntry[]][] | null;
    return (reply ?? []).flatMap(([stream, entries]) => {
      const evaluator = evaluators[streams.indexOf(stream)] ?? '';
      return entries.map(([id, fields]) => candidateOf(evaluator, id, fields));
    });
  }

  /** @returns how many candidates are answered, or -1 when the attempt is no longer wanted. */
  async answer({ evaluator, entry, attempt, index }: QueuedCandidate, answer: Answer): Promise<number> {
    const keys = [
      this.#keys.task(attempt),
      this.#keys.candidates(evaluator),
      this.#keys.values(attempt),
      this.#keys.fractions(attempt),
      this.#keys.outbox,
    ];
    const args = [attempt, consumerGroup, entry, index, JSON.stringify(answer)];
    return (await this.#redis.eval(answerScript, keys.length, ...keys, ...args)) as number;
  }

  async renew({ evaluator, entry, attempt, index }: QueuedCandidate, fraction: number): Promise<Renewal> {
    const keys = [
      this.#keys.task(attempt),
      this.#keys.candidates(evaluator),
      this.#keys.values(attempt),
      this.#keys.fractions(attempt),
    ];
    const args = [consumerGroup, this.#consumer, entry, index, fraction];
    const [state, answered, fractions] = (await this.#redis.eval(renewScript, keys.length, ...keys, ...args)) as [
      Renewal['state'],
      number,
      string,
    ];
    return { state, answered, fractions: Number(fractions) };
  }

  /** Gives a candidate back: others may have it at once. */
  async giveBack({ evaluator, entry }: QueuedCandidate): Promise<void> {
    const stream = this.#keys.candidates(evaluator);
    const longAgoMs = 24 * 3_600_000;
    await this.#redis.xclaim(stream, consumerGroup, this.#consumer, 0, entry, 'IDLE', longAgoMs, 'JUSTID');
  }

  /** Removes an entry whose attempt is no longer wanted. */
  async discard({ evaluator, entry }: QueuedCandidate): Promise<void> {
    const stream = this.#keys.candidates(evaluator);
    await this.#redis.multi().xack(stream, consumerGroup, entry).xdel(stream, entry).exec();
  }

  /** Attempts to write back: new ones, and those whose writer has been silent. */
  async takeFinished(silentMs: number, count: number): Promise<OutboxEntry[]> {
    const { outbox } = this.#keys;
    const claimed = await this.#claim(outbox, silentMs, count);
    const reply = (await this.#redis.xreadgroup(
      'GROUP',
      consumerGroup,
      this.#consumer,
      'COUNT',
      count,
      'STREAMS',
      outbox,
      '>',
    )) as [string, StreamEntry[]][] | null;
    return [...claimed, ...(reply?.[0]?.[1] ?? [])].map(([entry, fields]) => ({
      entry,
      attempt: fieldOf(fields, 'attempt'),
    }));
  }

  /** The result that all answers make together; null when the attempt is no longer wanted. */
  async finished(attempt: string): Promise<FinishedAttempt | null> {
    const assignment = await this.assignment(attempt);
    if (!assignment) return null;
    const byIndex = await this.#redis.hgetall(this.#keys.values(attempt));
    const answers = candidatesOf(assignment).map((_, index) => JSON.parse(byIndex[index] ?? '{}') as Partial<Answer>);
    const values = answers.map((answer) => ('values' in answer ? (answer.values ?? null) : null));
    const failed = answers.flatMap((answer, index) =>
      'error' in answer ? [{ index, error: answer.error ?? '' }] : [],
    );
    const { task_id, attempt: number } = assignment;
    return { ref: { task_id, attempt: number }, result: { values, failed } as Json };
  }

  /** Forgets an attempt, and the outbox entry that it came by. */
  async forget(attempt: string, entry: string | null): Promise<void> {
    const transaction = this.#redis.multi();
    transaction.del(this.#keys.task(attempt), this.#keys.values(attempt), this.#keys.fractions(attempt));
    if (entry !== null) transaction.xack(this.#keys.outbox, consumerGroup, entry).xdel(this.#keys.outbox, entry);
    await transaction.exec();
  }

  /** Forgets members that died long ago and left nothing behind. */
  async forgetDead(evaluators: readonly string[]): Promise<void> {
    for (const stream of this.#streams(evaluators)) {
      const consumers = (await this.#redis.xinfo('CONSUMERS', stream, consumerGroup)) as (string | number)[][];
      for (const fields of consumers) {
        const figure = (name: string) => fields[fields.indexOf(name) + 1];
        if (Number(figure('idle')) < forgottenAfterMs) continue;
        await this.#redis.eval(removeConsumerScript, 1, stream, consumerGroup, String(figure('name')));
      }
    }
  }

  /** Leaves the consumer groups, where nothing is pending any more. */
  async leave(evaluators: readonly string[]): Promise<void> {
    for (const stream of this.#streams(evaluators)) {
      await this.#redis.eval(removeConsumerScript, 1, stream, consumerGroup, this.#consumer);
    }
  }

  #streams(evaluators: readonly string[]): string[] {
    return [this.#keys.outbox, ...evaluators.map((name) => this.#keys.candidates(name))];
  }

  async #claim(stream: string, silentMs: number, count: number): Promise<StreamEntry[]> {
    const entries: StreamEntry[] = [];
    let cursor = '0-0';
    do {
      const reply = (await this.#redis.xautoclaim(
        stream,
        consumerGroup,
        this.#consumer,
        silentMs,
        cursor,
        'COUNT',
        count - entries.length,
      )) as [string, (StreamEntry | null)[]];
      cursor = reply[0];
      entries.push(...reply[1].filter((entry) => entry !== null));
    } while (cursor !== '0-0' && entries.length < count);
    return entries;
  }
}

function candidateOf(evaluator: string, entry: string, fields: string[]): QueuedCandidate {
  const attempt = fieldOf(fields, 'attempt');
  return { evaluator, entry, attempt, index: Number(fieldOf(fields, 'index')), losses: 0 };
}

function fieldOf(fields: readonly string[], name: string): string {
  return fields[fields.indexOf(name) + 1] ?? '';
}
