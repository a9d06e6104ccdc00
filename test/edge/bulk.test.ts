import { describe, expect, it } from 'vitest';
import type { TaskView } from '#protocol';
import { alice, bob, BrokerWorld, codeOf, failure, ok, principal, type TestSocket } from './helpers/broker.ts';

async function failOne(world: BrokerWorld, worker: TestSocket, labels: string[]): Promise<string> {
  const id = await world.submitOne({ labels, max_retries: 0 });
  const { attempt } = await worker.task();
  worker.say({ type: 'outcomes', items: [{ task_id: id, attempt, outcome: failure(), runtime_ms: 1 }], credits: 1 });
  await worker.ack();
  return id;
}

describe('revoking many', () => {
  it('revokes what a filter describes, waiting, scheduled and running, and counts exactly', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 2 });
    const [runs, held] = await world.submit(world.task({ labels: ['x'] }), world.task({ labels: ['x'] }));
    worker.say({ type: 'started', items: [{ task_id: runs!, attempt: 1 }] });
    await worker.settled();
    const waiting = await world.submit(
      ...Array.from({ length: 1100 }, (_, index) => world.task({ labels: [index % 2 ? 'x' : 'y', 'z'] })),
      world.task({ labels: ['x'], countdown: 60 }),
    );
    const others = await ok(world.api.submit(bob, [world.task({ labels: ['x'] }, { owner: 'bob' })]));
    expect(await ok(world.api.revokeMany(alice, { labels: ['x'] }, false, null))).toEqual({
      revoked: 550 + 3,
      next_cursor: null,
    });
    expect((await world.get(held!)).state).toBe('REVOKED');
    expect((await world.get(runs!)).state).toBe('STARTED');
    expect((await ok(world.api.list(alice, { states: ['REVOKED'], limit: 1000 }))).tasks).toHaveLength(552);
    expect(await ok(world.api.revokeMany(alice, { labels: ['x'] }, false, null))).toMatchObject({ revoked: 0 });
    await world.evict();
    expect(await ok(world.api.revokeMany(alice, { labels: ['x'] }, true, null))).toMatchObject({ revoked: 1 });
    expect((await world.get(runs!)).state).toBe('REVOKED');
    expect(await ok(world.api.revokeMany(alice, { queue: 'default' }, true, null))).toMatchObject({ revoked: 550 });
    expect((await world.get(waiting[0]!)).error).toMatchObject({ type: 'revoked' });
    expect(await ok(world.api.revokeMany(principal('root', 'admin'), { labels: ['x'] }, true, null))).toMatchObject({
      revoked: 1,
    });
    expect((await ok(world.api.get(bob, others[0]!.task_id))).state).toBe('REVOKED');
  });

  it('goes on where it stopped, and leaves alone what came meanwhile', async () => {
    const world = await BrokerWorld.create();
    const ids = await world.submit(...Array.from({ length: 5 }, () => world.task({ labels: ['x'] })));
    const late = await world.submitOne({ labels: ['x'] });
    expect(await ok(world.api.revokeMany(alice, { labels: ['x'] }, false, late))).toEqual({
      revoked: 5,
      next_cursor: null,
    });
    expect(await Promise.all([...ids, late].map((id) => world.state(id)))).toEqual([
      ...ids.map(() => 'REVOKED'),
      'PENDING',
    ]);
    expect(await codeOf(world.api.revokeMany(alice, {}, false, 'x'))).toBe('invalid_request');
    expect(await ok(world.api.revokeMany(alice, { states: ['SUCCESS'] }, false, null))).toMatchObject({ revoked: 0 });
  });
});

describe('running many dead tasks again', () => {
  it('makes one new task of each, however often it is asked, page by page', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const dead: string[] = [];
    for (let n = 0; n < 5; n++) dead.push(await failOne(world, worker, n < 4 ? ['batch'] : []));
    worker.say({ type: 'goodbye', reason: 'done' });
    await worker.closed;
    const query = { labels: ['batch'], error: 'task_failed' as const };
    const first = await ok(world.api.retryMany(alice, query, null, 3));
    const rest = await ok(world.api.retryMany(alice, query, first.next_cursor, 3));
    const made = [...first.tasks, ...rest.tasks];
    expect(made.map((task) => task.retry_of)).toEqual(dead.slice(0, 4).reverse());
    expect(rest.next_cursor).toBeNull();
    const again = await ok(world.api.retryMany(alice, query, null, 100));
    expect(again.tasks.map((task) => task.task_id)).toEqual(made.map((task) => task.task_id));
    const waiting = (await ok(world.api.list(alice, { states: ['PENDING'] }))).tasks;
    expect(waiting.map((task: TaskView) => [task.retry_of, task.labels])).toEqual(
      dead.slice(0, 4).map((id) => [id, ['batch']]),
    );
    expect(await ok(world.api.retryMany(alice, { error: 'expired' }, null, 100))).toMatchObject({ tasks: [] });
    expect(await ok(world.api.retryMany(bob, {}, null, 100))).toMatchObject({ tasks: [] });
  });

  it('is done in the owner’s name when an admin asks, and leaves what an object stands behind', async () => {
    const world = await BrokerWorld.create();
    const notify = { object: 'campaign' as const, name: 'c-1' };
    const mine = world.task();
    const [id, held] = await world.submit(mine, { ...mine, held: true, notify, ref: 'r' });
    await ok(world.api.revokeMany(alice, { task: mine.task }, true, null));
    const { tasks } = await ok(world.api.retryMany(principal('root', 'admin'), { states: ['REVOKED'] }, null, 10));
    expect(tasks).toMatchObject([{ retry_of: id, state: 'PENDING' }]);
    expect((await world.get(tasks[0]!.task_id)).owner).toBe('alice');
    expect((await world.get(held!)).state).toBe('REVOKED');
  });
});
