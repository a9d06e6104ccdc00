import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sortableId, type Assignment, type TaskId } from '#protocol';
import { attemptKey } from '../../client/worker/index.ts';
import { connectRedis } from '../../node-worker/redis/connect.ts';
import { consumerGroup, RedisKeys } from '../../node-worker/redis/keys.ts';
import { EvaluationStore, type QueuedCandidate } from '../../node-worker/redis/store.ts';
import { RedisServer } from './helpers/redis.ts';

let server: RedisServer;
let redis: Redis;
let blocking: Redis;
let keys: RedisKeys;
let tests = 0;

beforeAll(async () => {
  server = await RedisServer.start();
});
beforeEach(() => {
  redis = connectRedis(server.url, 'test', () => undefined);
  blocking = connectRedis(server.url, 'test-blocking', () => undefined);
  keys = new RedisKeys(`test${tests++}`);
});
afterEach(() => {
  redis.disconnect();
  blocking.disconnect();
});
afterAll(() => server.remove());

async function member(name: string): Promise<EvaluationStore> {
  const store = new EvaluationStore(redis, keys, name);
  await store.prepare(['sim']);
  return store;
}

function assignment(candidates: object[], attempt = 1): Assignment {
  return {
    task_id: `0-${sortableId(1_700_000_000_000, new Uint8Array(10))}` as TaskId,
    attempt,
    task: 'evaluate_candidates',
    args: [],
    kwargs: { candidates, evaluator: { kind: 'named', name: 'sim' } } as never,
    queue: 'default',
    priority: 5,
    retries: 0,
    owner: 'alice',
    soft_time_limit_ms: 3_000_000,
    time_limit_ms: 3_600_000,
    snapshot: null,
  };
}

const take = (store: EvaluationStore, count = 10) => store.take(blocking, ['sim'], count, 10);
const names = (candidates: QueuedCandidate[]) => candidates.map(({ index }) => index);

describe('the queue in Redis', () => {
  it('keeps an attempt once, however often it is sent', async () => {
    const store = await member('a');
    const task = assignment([{ x: 1 }, { x: 2 }]);
    await store.enqueue(task, 'sim');
    await store.enqueue(task, 'sim');
    expect(await store.backlog('sim')).toBe(2);
    expect(names(await take(store))).toEqual([0, 1]);
    expect(await store.assignment(attemptKey(task))).toEqual(task);
  });

  it('counts the first answer to a candidate, and puts the attempt into the outbox once', async () => {
    const store = await member('a');
    const task = assignment([{ x: 1 }, { x: 2 }]);
    await store.enqueue(task, 'sim');
    const [first, second] = (await take(store)) as [QueuedCandidate, QueuedCandidate];
    expect(await store.answer(second, { error: 'evaluator_failed: no' })).toBe(1);
    expect(await store.answer(second, { values: { y: 9 } })).toBe(1);
    expect(await store.answer(first, { values: { y: 1 } })).toBe(2);
    expect(await store.answer(first, { values: { y: 2 } })).toBe(2);
    const outbox = await store.takeFinished(60_000, 10);
    expect(outbox.map((entry) => entry.attempt)).toEqual([attemptKey(task)]);
    expect(await store.finished(attemptKey(task))).toEqual({
      ref: { task_id: task.task_id, attempt: 1 },
      result: { values: [{ y: 1 }, null], failed: [{ index: 1, error: 'evaluator_failed: no' }] },
    });
    await store.forget(attemptKey(task), outbox[0]!.entry);
    expect(await redis.exists(keys.task(attemptKey(task)), keys.values(attemptKey(task)))).toBe(0);
    expect(await redis.xlen(keys.outbox)).toBe(0);
    expect(await store.backlog('sim')).toBe(0);
  });

  it('keeps the attempts of one task apart', async () => {
    const store = await member('a');
    await store.enqueue(assignment([{ x: 1 }], 1), 'sim');
    await store.enqueue(assignment([{ x: 1 }], 2), 'sim');
    const [first, second] = (await take(store)) as [QueuedCandidate, QueuedCandidate];
    await store.answer(first, { values: { y: 1 } });
    await store.answer(second, { values: { y: 2 } });
    const results = [await store.finished(first.attempt), await store.finished(second.attempt)];
    expect(results.map((one) => [one?.ref.attempt, one?.result])).toEqual([
      [1, { values: [{ y: 1 }], failed: [] }],
      [2, { values: [{ y: 2 }], failed: [] }],
    ]);
  });

  it('takes over what a silent member began, and counts how often that happened', async () => {
    const [dead, store] = [await member('dead'), await member('a')];
    await dead.enqueue(assignment([{ x: 1 }]), 'sim');
    await take(dead);
    expect(await store.takeOver('sim', 60_000, 5)).toEqual([]);
    expect(await store.takeOver('sim', 0, 5)).toMatchObject([{ index: 0, losses: 1 }]);
    expect(await dead.takeOver('sim', 0, 5)).toMatchObject([{ index: 0, losses: 2 }]);
  });

  it('a heartbeat keeps a candidate, unless somebody else has it already', async () => {
    const [first, second] = [await member('a'), await member('b')];
    await first.enqueue(assignment([{ x: 1 }]), 'sim');
    const [candidate] = (await take(first)) as [QueuedCandidate];
    expect(await first.renew(candidate, 0.5)).toEqual({ state: 'wanted', answered: 0, fractions: 0.5 });
    await second.takeOver('sim', 0, 5);
    // It goes on, because whoever is first may answer, but it takes nothing back.
    expect((await first.renew(candidate, 0.6)).state).toBe('wanted');
    const [pending] = (await redis.xpending(keys.candidates('sim'), consumerGroup, '-', '+', 1)) as [string, string][];
    expect(pending?.[1]).toBe('b');
    await second.answer(candidate, { values: { y: 1 } });
    expect((await first.renew(candidate, 0.7)).state).toBe('answered');
  });

  it('tells who runs that the attempt was dropped, and drops their answers', async () => {
    const store = await member('a');
    const task = assignment([{ x: 1 }, { x: 2 }]);
    await store.enqueue(task, 'sim');
    const [candidate] = (await take(store)) as [QueuedCandidate];
    await store.forget(attemptKey(task), null);
    expect((await store.renew(candidate, 0)).state).toBe('dropped');
    expect(await store.answer(candidate, { values: { y: 1 } })).toBe(-1);
    expect(await redis.exists(keys.values(attemptKey(task)), keys.fractions(attemptKey(task)))).toBe(0);
    expect(await store.assignment(candidate.attempt)).toBe(null);
  });

  it('gives a candidate back so that others have it at once', async () => {
    const [first, second] = [await member('a'), await member('b')];
    await first.enqueue(assignment([{ x: 1 }]), 'sim');
    const [candidate] = (await take(first)) as [QueuedCandidate];
    await first.giveBack(candidate);
    expect(names(await second.takeOver('sim', 3_600_000, 5))).toEqual([0]);
  });

  it('loses nothing when a member leaves: one with pending candidates stays in the books', async () => {
    const [first, second] = [await member('a'), await member('b')];
    await first.enqueue(assignment([{ x: 1 }]), 'sim');
    await take(first);
    await first.leave(['sim']);
    expect(names(await second.takeOver('sim', 0, 5))).toEqual([0]);
    await first.leave(['sim']);
    const consumers = (await redis.xinfo('CONSUMERS', keys.candidates('sim'), consumerGroup)) as string[][];
    expect(consumers.map((fields) => fields[1])).toEqual(['b']);
    await second.forgetDead(['sim']);
    expect(((await redis.xinfo('CONSUMERS', keys.candidates('sim'), consumerGroup)) as string[][]).length).toBe(1);
  });

  it('has one name for the group, whoever asks first, and everything expires one day', async () => {
    const [first, second] = [await member('a'), await member('b')];
    expect(await first.groupName()).toBe(await second.groupName());
    const task = assignment([{ x: 1 }, { x: 2 }]);
    await first.enqueue(task, 'sim');
    const [candidate] = (await take(first)) as [QueuedCandidate];
    await first.renew(candidate, 0.1);
    await first.answer(candidate, { values: { y: 1 } });
    const key = attemptKey(task);
    for (const name of [keys.task(key), keys.values(key)]) expect(await redis.pttl(name)).toBeGreaterThan(3_600_000);
  });
});
