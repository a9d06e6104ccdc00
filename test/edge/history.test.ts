import { describe, expect, it } from 'vitest';
import type { TaskQuery } from '../../edge/broker/rpc.ts';
import { alice, BrokerWorld, codeOf, ok, success } from './helpers/broker.ts';

describe('history', () => {
  it('comes newest first, page by page, and filtered', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const ids = await world.submit(
      ...Array.from({ length: 5 }, (_, index) => world.task({ labels: [index % 2 ? 'odd' : 'even'] })),
      world.task({ task: 'train_surrogate', kwargs: { rows: [[1, 2]], inputs: ['a'], targets: ['b'] }, priority: 0 }),
    );
    const { task_id: held } = await worker.task();
    const page = await ok(world.api.list(alice, { limit: 4 }));
    const rest = await ok(world.api.list(alice, { limit: 4, cursor: page.next_cursor! }));
    expect([...page.tasks, ...rest.tasks].map((task) => task.task_id)).toEqual([...ids].reverse());
    expect(rest.next_cursor).toBeNull();
    const found = async (query: TaskQuery) =>
      (await ok(world.api.list(alice, query))).tasks.map((task) => task.task_id);
    expect(await found({ labels: ['odd'] })).toEqual([ids[3], ids[1]]);
    expect(await found({ task: 'train_surrogate' })).toEqual([ids[5]]);
    expect(await found({ states: ['RECEIVED'] })).toEqual([held]);
    expect(await found({ states: ['PENDING'] })).toHaveLength(5);
    expect(await found({ states: ['RECEIVED', 'PENDING'], order: 'oldest' })).toEqual(ids);
    expect(await found({ worker: 'w1' })).toEqual([held]);
    expect(await found({ labels: ['odd', 'even'] })).toEqual([]);
    expect(await found({ until_ms: world.clock.now() })).toEqual([]);
    expect(await found({ until_ms: world.clock.now() + 1 })).toHaveLength(6);
    expect(await found({ queue: 'nowhere' })).toEqual([]);
    expect(await found({ since_ms: world.clock.now() + 1 })).toEqual([]);
    expect(await codeOf(world.api.list(alice, { cursor: 'x' }))).toBe('invalid_request');
  });

  it('forgets final tasks after their time, in batches', async () => {
    const world = await BrokerWorld.create();
    const ids = await world.submit(...Array.from({ length: 3 }, () => world.task()));
    await ok(world.api.revoke(alice, ids[0]!, true));
    await world.advance(23 * 3_600_000);
    expect(await world.state(ids[0]!)).toBe('REVOKED');
    await world.advance(2 * 3_600_000);
    expect(await codeOf(world.api.get(alice, ids[0]!))).toBe('not_found');
    expect(await world.state(ids[1]!)).toBe('PENDING');
  });

  it('keeps what campaigns are listed by as long as these', async () => {
    const world = await BrokerWorld.create();
    const [campaign, other] = await world.submit({ ...world.task(), task: 'run_campaign' }, world.task());
    await ok(world.api.revoke(alice, campaign!, true));
    await ok(world.api.revoke(alice, other!, true));
    await world.advance(26 * 3_600_000);
    expect((await ok(world.api.list(alice, {}))).tasks.map((task) => task.task_id)).toEqual([campaign]);
    await world.advance(30 * 24 * 3_600_000);
    expect((await ok(world.api.list(alice, {}))).tasks).toEqual([]);
  });
});

describe('at rest', () => {
  it('nothing is left to do once everything is old', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne();
    const { attempt } = await worker.task();
    worker.say({ type: 'outcomes', items: [{ task_id: id, attempt, outcome: success(), runtime_ms: 1 }], credits: 0 });
    await worker.ack();
    await ok(world.api.wait(alice, await world.submitOne({ task: 'ping', kwargs: {} }), 30));
    worker.say({ type: 'goodbye', reason: 'done' });
    await worker.closed;
    for (let day = 0; day < 3; day++) await world.advance(25 * 3_600_000);
    expect(await world.rows('SELECT * FROM alarms')).toEqual([]);
    expect(await world.rows('SELECT id FROM tasks')).toEqual([]);
    expect((await ok(world.api.workers(alice))).map((row) => row.worker_id)).toEqual(['edge']);
  });
});

describe('large values', () => {
  it('lie beside the row and come back whole', async () => {
    const world = await BrokerWorld.create();
    const candidates = Array.from({ length: 1000 }, (_, index) =>
      Array.from({ length: 20 }, (__, k) => index / (k + 1)),
    );
    const id = await world.submitOne({ kwargs: { candidates, evaluator: { kind: 'named', name: 'sim' } } });
    const worker = await world.worker({ credits: 1 });
    expect((await worker.task()).kwargs).toEqual({ candidates, evaluator: { kind: 'named', name: 'sim' } });
    const result = { text: '"\\'.repeat(100_000) };
    worker.say({
      type: 'outcomes',
      items: [{ task_id: id, attempt: 1, outcome: success(result), runtime_ms: 1 }],
      credits: 0,
    });
    await worker.ack();
    expect(await world.get(id)).toMatchObject({ state: 'SUCCESS', result, kwargs: { candidates } });
    expect((await ok(world.api.list(alice, {}))).tasks[0]).toMatchObject({ result });
  });

  it('fail a task whose result is over the limit', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne();
    await worker.task();
    const result = 'x'.repeat(1024 * 1024);
    worker.say({
      type: 'outcomes',
      items: [{ task_id: id, attempt: 1, outcome: success(result), runtime_ms: 1 }],
      credits: 0,
    });
    await worker.ack();
    expect(await world.get(id)).toMatchObject({ state: 'FAILURE', error: { type: 'body_too_large' } });
  });
});
