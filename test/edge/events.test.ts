import { describe, expect, it } from 'vitest';
import type { TaskId, WorkerId } from '#protocol';
import { principalHeader } from '../../edge/broker/rpc.ts';
import { alice, bob, BrokerWorld, failure, ok, principal, success, type TestSocket } from './helpers/broker.ts';

/** Runs a task to its end and answers with its id. */
async function runOne(world: BrokerWorld, worker: TestSocket): Promise<TaskId> {
  const id = await world.submitOne();
  const { attempt } = await worker.task();
  worker.say({ type: 'started', items: [{ task_id: id, attempt }] });
  worker.say({
    type: 'outcomes',
    items: [{ task_id: id, attempt, outcome: success(), runtime_ms: 1 }],
    credits: 1,
  });
  await worker.ack();
  return id;
}

describe('events', () => {
  it('tell a task’s life as it happens, numbered without holes', async () => {
    const world = await BrokerWorld.create();
    const listener = await world.connect('/v1/events');
    const worker = await world.worker({ credits: 1 });
    const id = await runOne(world, worker);
    const last = await listener.event('task-succeeded');
    const events = [
      await listener.event('worker-online'),
      await listener.event('task-sent'),
      await listener.event('task-received'),
      await listener.event('task-started'),
      last,
    ];
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(events.slice(1)).toMatchObject([
      { task_id: id, task: 'evaluate_candidates', data: { queue: 'default' } },
      { task_id: id, worker: 'w1' },
      { task_id: id, worker: 'w1' },
      { task_id: id, worker: 'w1', data: { runtime: expect.any(Number) as number } },
    ]);
    expect(events.every((event) => !('owner' in event))).toBe(true);
  });

  it('can be heard again from any number on, also after an eviction', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    for (let n = 0; n < 50; n++) await runOne(world, worker);
    await world.evict();
    const listener = await world.connect('/v1/events?after=100');
    const seen: number[] = [];
    while (seen.at(-1) !== 201) seen.push((await listener.anyEvent()).seq);
    expect(seen).toEqual(Array.from({ length: 101 }, (_, index) => 101 + index));
    await world.submitOne();
    expect(await listener.event('task-sent')).toMatchObject({ seq: 202 });
  });

  it('tell first where they begin, if that is asked for', async () => {
    const world = await BrokerWorld.create();
    await world.submitOne();
    const listener = await world.connect('/v1/events?position=true');
    const again = await world.connect('/v1/events?position=true&after=0');
    const other = await world.connect('/v1/events');
    await world.submitOne();
    const sent = await listener.event('task-sent');
    await other.event('task-sent');
    await again.event('task-sent');
    expect(listener.drain()).toEqual([{ position: sent.seq - 1 }]);
    expect(again.drain()).toMatchObject([{ position: 0 }, { seq: sent.seq }]);
    expect(other.drain()).toEqual([]);
  });

  it('are packed: many to a row, which takes further commits as long as it fits a page of the database', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    for (let n = 0; n < 50; n++) await runOne(world, worker);
    const rows = await world.rows<{ first_seq: number; count: number; items: string }>('SELECT * FROM events');
    expect(rows.length).toBeLessThan(5);
    expect(rows.reduce((sum, row) => sum + row.count, 0)).toBe(201);
    await world.submit(...Array.from({ length: 500 }, () => world.task()));
    const all = await world.rows<{ chars: number; count: number }>('SELECT length(items) AS chars, count FROM events');
    expect(all.every(({ chars }) => chars < 4_000)).toBe(true);
    // One more is given out at once.
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(201 + 500 + 1);
  });

  it('are only one’s own, but for those of the fleet', async () => {
    const world = await BrokerWorld.create();
    const [mine, others, all] = await Promise.all(
      [alice, bob, principal('root', 'admin')].map((who) => world.connect('/v1/events', who)),
    );
    await world.submitOne();
    await ok(world.api.submit(bob, [world.task({}, { owner: 'bob' })]));
    await world.worker();
    await Promise.all([mine, others, all].map((listener) => listener!.event('worker-online')));
    expect([mine, others, all].map((listener) => listener!.unread().length)).toEqual([1, 1, 2]);
  });

  it('can be filtered by task and type', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const ids = [await runOne(world, worker), await runOne(world, worker)];
    const listener = await world.connect(`/v1/events?after=0&task_id=${ids[1]}&types=task-sent,task-succeeded`);
    expect([await listener.anyEvent(), await listener.anyEvent()]).toMatchObject([
      { type: 'task-sent', task_id: ids[1] },
      { type: 'task-succeeded', task_id: ids[1] },
    ]);
  });

  it('can be filtered by label, queue and worker, which tasks’ events tell', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 2, queues: ['default', 'ml'] });
    await world.submitOne();
    const id = await world.submitOne({ queue: 'ml', labels: ['nightly', 'x'] });
    await worker.task();
    await worker.task();
    const heard = async (query: string) =>
      (await world.connect(`/v1/events?after=0&types=task-received&${query}`)).anyEvent();
    const expected = { task_id: id, queue: 'ml', labels: ['nightly', 'x'], worker: 'w1', shard: world.shard };
    expect(await heard('label=nightly')).toMatchObject(expected);
    expect(await heard('queue=ml')).toMatchObject(expected);
    expect(await heard('worker=w1')).toMatchObject({ queue: 'default', worker: 'w1' });
    expect(await heard('worker=w1&label=x')).toMatchObject(expected);
  });

  it('are remembered: pages of the past, from a number or a time on, also after an eviction', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    for (let n = 0; n < 40; n++) await runOne(world, worker);
    const middleMs = (await world.inside(() => world.clock.advance(60_000)), world.clock.now());
    await worker.settled();
    const late = await runOne(world, worker);
    await world.evict();
    const seen: number[] = [];
    for (let after = 0, newest = 1; after < newest;) {
      const { events, position } = await ok(world.api.events(alice, { query: {}, after, limit: 50 }));
      seen.push(...events.map(({ seq }) => seq));
      expect(position).toMatchObject({ shard: world.shard, oldest_seq: 1, newest_seq: 165 });
      [after, newest] = [position.seq, position.newest_seq];
    }
    expect(seen).toEqual(Array.from({ length: 165 }, (_, index) => index + 1));
    const since = await ok(world.api.events(alice, { query: {}, since_ms: middleMs, limit: 50 }));
    expect(since.events.map(({ type, task_id: id }) => [type, id])).toEqual(
      ['task-sent', 'task-received', 'task-started', 'task-succeeded'].map((type) => [type, late]),
    );
    const ends = await ok(world.api.events(alice, { query: { types: ['task-succeeded'] }, limit: 2 }));
    expect(ends.events).toMatchObject([{ data: { runtime: 0, retries: 0 } }, { type: 'task-succeeded' }]);
    expect((await ok(world.api.events(bob, { query: {}, limit: 50 }))).events.map(({ type }) => type)).toEqual([
      'worker-online',
    ]);
  });

  it.each(['types=nope', 'task_id=x', 'workflow_id=x', 'campaign_id=x', 'after=-1'])(
    'refuse the query %s',
    async (query) => {
      const world = await BrokerWorld.create();
      const headers = { upgrade: 'websocket', [principalHeader]: JSON.stringify(alice) };
      const response = await world.stub.fetch(`https://edge/v1/events?${query}`, { headers });
      expect(response.status).toBe(422);
      const { error } = await response.json<{ error: { details: { faults: { path: string }[] } } }>();
      expect(error.details.faults[0]?.path).toBe(query.split('=')[0]);
    },
  );

  it('tell failures, retries and losses with their reasons', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne({ max_retries: 1, retry_backoff: false });
    await worker.task();
    const report = (attempt: number) => ({ task_id: id, attempt, outcome: failure(), runtime_ms: 1 });
    worker.say({ type: 'outcomes', items: [report(1)], credits: 1 });
    await worker.task();
    await world.advance(31_000);
    worker.say({ type: 'credits', add: 1 });
    await worker.task();
    worker.say({ type: 'outcomes', items: [report(3)], credits: 0 });
    const listener = await world.connect('/v1/events?after=0&types=task-retried,task-failed');
    const events = [await listener.anyEvent(), await listener.anyEvent(), await listener.anyEvent()];
    expect(events).toMatchObject([
      { type: 'task-retried', data: { reason: 'task_failed', retries: 1 } },
      { type: 'task-retried', data: { reason: 'worker_lost', retries: 1 } },
      { type: 'task-failed', data: { error: { type: 'task_failed' } } },
    ]);
  });

  it('tell progress, the latest of each task, and keep it', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne();
    await worker.task();
    const listener = await world.connect(`/v1/events?task_id=${id}&types=task-progress`);
    for (const fraction of [0.1, 0.2, 0.3]) {
      worker.say({ type: 'progress', items: [{ task_id: id, attempt: 1, progress: { fraction, message: 'm' } }] });
    }
    await worker.settled();
    expect(await world.get(id)).toMatchObject({ state: 'STARTED', progress: { fraction: 0.3 } });
    await world.inside(() => world.clock.advance(600));
    expect(await listener.event('task-progress')).toMatchObject({
      worker: 'w1',
      data: { fraction: 0.3, message: 'm' },
    });
    expect(listener.unread()).toEqual([]);
    await world.evict();
    expect(await world.get(id)).toMatchObject({ state: 'STARTED', progress: { fraction: 0.3 } });
  });

  it('are deleted after their time, without a break in their numbers', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    for (let n = 0; n < 50; n++) await runOne(world, worker);
    await world.advance(25 * 3_600_000);
    const [row] = await world.rows<{ rows: number }>('SELECT count(*) AS rows FROM events');
    expect(row?.rows).toBeLessThan(3);
    const before = await world.inside((broker) => broker.broking.core.events.seq);
    await world.evict();
    expect(await world.inside((broker) => broker.broking.core.events.seq)).toBe(before);
  });

  it('tell who is there', async () => {
    const world = await BrokerWorld.create();
    const listener = await world.connect('/v1/events');
    const worker = await world.worker({ worker_id: 'x' as WorkerId, name: 'x@host', credits: 1 });
    expect(await listener.event('worker-online')).toMatchObject({ worker: 'x', data: { name: 'x@host' } });
    await world.submitOne();
    await worker.task();
    await world.advance(20_000);
    await world.advance(11_000);
    expect(await listener.event('worker-heartbeat')).toMatchObject({ worker: 'x' });
    worker.say({ type: 'goodbye', reason: 'done' });
    expect(await listener.event('worker-offline')).toMatchObject({ worker: 'x', data: { reason: 'done' } });
  });
});
