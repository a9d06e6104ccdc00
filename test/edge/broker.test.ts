import { describe, expect, it, vi } from 'vitest';
import type { TaskId, WorkerId } from '#protocol';
import { alice, bob, BrokerWorld, codeOf, helloFrame, ok, principal, success } from './helpers/broker.ts';

describe('submitting and computing', () => {
  it('gives a submitted task to a worker that waits, and its result to whoever asks', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne({ labels: ['l'] });
    const task = await worker.task();
    expect(task).toMatchObject({
      task_id: id,
      attempt: 1,
      task: 'evaluate_candidates',
      owner: 'alice',
      snapshot: null,
    });
    expect(await world.state(id)).toBe('RECEIVED');
    worker.say({ type: 'started', items: [{ task_id: id, attempt: 1 }] });
    worker.say({
      type: 'outcomes',
      items: [{ task_id: id, attempt: 1, outcome: success({ values: [1] }), runtime_ms: 5 }],
      credits: 1,
    });
    expect(await worker.ack()).toEqual([{ task_id: id, attempt: 1, status: 'recorded' }]);
    expect(await world.get(id)).toMatchObject({
      state: 'SUCCESS',
      result: { values: [1] },
      worker: 'w1',
      labels: ['l'],
    });
  });

  it('holds a wait until the task is final', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne();
    const waiting = ok(world.api.wait(alice, id, 30));
    await worker.task();
    worker.say({
      type: 'outcomes',
      items: [{ task_id: id, attempt: 1, outcome: success(7), runtime_ms: 1 }],
      credits: 0,
    });
    expect(await waiting).toMatchObject({ state: 'SUCCESS', result: 7 });
  });

  it('hides tasks from everybody but their owner and administrators', async () => {
    const world = await BrokerWorld.create();
    const id = await world.submitOne();
    expect(await codeOf(world.api.get(bob, id))).toBe('not_found');
    expect(await codeOf(world.api.revoke(bob, id, true))).toBe('not_found');
    expect((await ok(world.api.list(bob, {}))).tasks).toEqual([]);
    expect(await ok(world.api.get(principal('root', 'admin'), id))).toMatchObject({ task_id: id });
  });
});

describe('queues', () => {
  it('serve the higher priority first, and within one what came first', async () => {
    const world = await BrokerWorld.create();
    const ids = await world.submit(
      ...[2, 5, 9, 5, 2].map((priority) => world.task({ priority })),
      world.task({ queue: 'elsewhere', priority: 9 }),
    );
    const worker = await world.worker({ credits: 10 });
    const { items } = await worker.next('tasks');
    expect(items.map((item) => ids.indexOf(item.task_id))).toEqual([2, 1, 3, 0, 4]);
  });

  it('give a worker only what it can do', async () => {
    const world = await BrokerWorld.create();
    const id = await world.submitOne();
    const { capabilities } = helloFrame();
    const without = await world.worker({ credits: 1, capabilities: { ...capabilities, evaluators: [] } });
    const other = { ...capabilities, evaluators: ['other', 'sim'] };
    const able = await world.worker({ worker_id: 'w2' as WorkerId, credits: 1, capabilities: other });
    expect(await able.task()).toMatchObject({ task_id: id });
    await without.settled();
    expect(without.unread()).toEqual([]);
  });

  it('are shared evenly by workers that wait', async () => {
    const world = await BrokerWorld.create();
    const workers = await Promise.all(
      ['a', 'b', 'c'].map((name) => world.worker({ worker_id: name as WorkerId, credits: 10 })),
    );
    await world.submit(...Array.from({ length: 9 }, () => world.task()));
    const counts = await Promise.all(workers.map(async (worker) => (await worker.next('tasks')).items.length));
    expect(counts).toEqual([3, 3, 3]);
  });

  it('give nothing to a stranger, whose answers could not be checked', async () => {
    const world = await BrokerWorld.create();
    const stranger = await world.worker({ credits: 5 }, principal('stranger', 'volunteer'));
    await world.submitOne();
    await stranger.settled();
    expect(stranger.unread()).toEqual([]);
    const [row] = await ok(world.api.workers(alice));
    expect(row).toMatchObject({ trusted: false, state: 'online' });
  });

  it('tell their lengths', async () => {
    const world = await BrokerWorld.create();
    await world.submit(world.task(), world.task(), world.task({ countdown: 60 }), world.task({ queue: 'mine' }));
    const worker = await world.worker({ credits: 1 });
    await worker.task();
    const queues = await ok(world.api.queues());
    expect(queues.find(({ queue }) => queue === 'default')).toMatchObject({ waiting: 1, scheduled: 1, running: 1 });
    expect(queues.find(({ queue }) => queue === 'mine')).toMatchObject({ waiting: 1, oldest_age: 0 });
    expect(queues.find(({ queue }) => queue === 'ml')).toMatchObject({ waiting: 0, oldest_age: null });
  });

  it('read on from storage when more waits than memory holds', async () => {
    const world = await BrokerWorld.create();
    const count = 2500;
    const ids = (
      await Promise.all(
        Array.from({ length: 5 }, () => world.submit(...Array.from({ length: count / 5 }, () => world.task()))),
      )
    ).flat();
    const worker = await world.worker({ credits: 1000 });
    const seen: TaskId[] = [];
    while (seen.length < count) {
      const { items } = await worker.next('tasks');
      seen.push(...items.map((item) => item.task_id));
      worker.say({
        type: 'outcomes',
        items: items.map(({ task_id, attempt }) => ({ task_id, attempt, outcome: success(0), runtime_ms: 1 })),
        credits: items.length,
      });
    }
    expect(seen).toEqual([...ids].sort());
  });
});

describe('ETA and expiry', () => {
  it('hold a task back until its time', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne({ countdown: 60 });
    await world.advance(25_000);
    await worker.heartbeat();
    worker.say({ type: 'credits', add: 1 });
    await world.advance(25_000);
    worker.say({ type: 'credits', add: 1 });
    await worker.settled();
    expect(worker.unread()).toEqual([]);
    await world.advance(11_000);
    expect((await worker.next('tasks')).items).toMatchObject([{ task_id: id }]);
  });

  it('revoke a task that was not begun in time', async () => {
    const world = await BrokerWorld.create();
    const [late, begun] = await world.submit(world.task({ expires: 10 }), world.task({ expires: 10, priority: 9 }));
    const worker = await world.worker({ credits: 1 });
    await worker.task();
    await world.advance(11_000);
    expect(await world.get(late!)).toMatchObject({ state: 'REVOKED', error: { type: 'expired' } });
    expect(await world.state(begun!)).toBe('RECEIVED');
  });
});

describe('revoking', () => {
  it('ends a waiting task at once', async () => {
    const world = await BrokerWorld.create();
    const id = await world.submitOne();
    expect(await ok(world.api.revoke(alice, id, false))).toMatchObject({
      state: 'REVOKED',
      error: { type: 'revoked' },
    });
    const worker = await world.worker({ credits: 1 });
    await worker.settled();
    expect(worker.unread()).toEqual([]);
    expect(await ok(world.api.revoke(alice, id, true))).toMatchObject({ state: 'REVOKED' });
  });

  it('tells the worker of a running task to stop, and takes no result after', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne();
    await worker.task();
    worker.say({ type: 'started', items: [{ task_id: id, attempt: 1 }] });
    await worker.settled();
    expect(await ok(world.api.revoke(alice, id, true))).toMatchObject({ state: 'REVOKED' });
    expect((await worker.next('revoke')).items).toEqual([{ task_id: id, attempt: 1, terminate: true }]);
    worker.say({
      type: 'outcomes',
      items: [
        { task_id: id, attempt: 1, outcome: success(), runtime_ms: 1 },
        { task_id: id, attempt: 1, outcome: { type: 'revoked' }, runtime_ms: 1 },
      ],
      credits: 0,
    });
    expect((await worker.ack()).map((item) => item.status)).toEqual(['lease_lost', 'recorded']);
    expect(await world.state(id)).toBe('REVOKED');
  });

  it('without terminate lets a computation end, but none follow', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne();
    await worker.task();
    worker.say({ type: 'started', items: [{ task_id: id, attempt: 1 }] });
    await worker.settled();
    expect(await ok(world.api.revoke(alice, id, false))).toMatchObject({ state: 'STARTED' });
    worker.say({
      type: 'outcomes',
      items: [{ task_id: id, attempt: 1, outcome: { type: 'released', reason: 'closing' }, runtime_ms: 1 }],
      credits: 1,
    });
    await worker.ack();
    expect(await world.state(id)).toBe('REVOKED');
  });
});

describe('idempotency', () => {
  it('gives the same answer to the same request, and refuses another body', async () => {
    const world = await BrokerWorld.create();
    const request = { key: 'k', bodyDigest: 'd' };
    const first = await ok(world.api.submit(alice, [world.task(), world.task()], request));
    expect(await ok(world.api.submit(alice, [world.task(), world.task()], request))).toEqual(first);
    expect(await codeOf(world.api.submit(alice, [world.task()], { key: 'k', bodyDigest: 'e' }))).toBe(
      'idempotency_conflict',
    );
    expect(await ok(world.api.submit(bob, [world.task({}, { owner: 'bob' })], request))).not.toEqual(first);
    expect(await world.rows('SELECT id FROM tasks')).toHaveLength(3);
  });

  it('keeps owners apart in one commit, whatever their names and keys are', async () => {
    const world = await BrokerWorld.create();
    const [one, other] = await world.inside(({ broking }) => {
      const submit = (owner: string, key: string) =>
        broking.submit(principal(owner), [world.task({}, { owner })], { key, bodyDigest: 'd' });
      return Promise.all([submit('a', 'x\nrequest:y'), submit('a\nrequest:x', 'y')]);
    });
    expect(one).not.toEqual(other);
    expect(await world.rows('SELECT owner FROM tasks ORDER BY owner')).toEqual([
      { owner: 'a' },
      { owner: 'a\nrequest:x' },
    ]);
  });

  it.each([1, 20])('knows a key with half of a character again, under which %i tasks came', async (count) => {
    const world = await BrokerWorld.create();
    const tasks = Array.from({ length: count }, () => world.task());
    const submit = () => ok(world.api.submit(alice, tasks, { key: 'x\ud800', bodyDigest: 'd' }));
    const first = await submit();
    expect(await submit()).toEqual(first);
    expect(await world.rows('SELECT id FROM tasks')).toHaveLength(count);
  });

  it.each([1, 20])(
    'holds for repeats that come together, and until the first of %i tasks is forgotten',
    async (count) => {
      const world = await BrokerWorld.create();
      await world.submitOne();
      const submit = () =>
        world.api.submit(
          alice,
          Array.from({ length: count }, () => world.task({ expires: 1 })),
          { key: 'k', bodyDigest: 'd' },
        );
      const [first, second] = await Promise.all([ok(submit()), ok(submit())]);
      expect(second).toEqual(first);
      await world.advance(2_000);
      await world.evict();
      expect(await ok(submit())).toEqual(first);
      expect(await world.rows('SELECT owner FROM idempotency')).toHaveLength(count === 1 ? 0 : 1);
      const stored = await world.rows('SELECT answer FROM tasks WHERE answer IS NOT NULL');
      expect(stored).toEqual(count === 1 ? [{ answer: '["d"]' }] : []);
      // As it was stored before.
      const full = JSON.stringify(['d', first]);
      await world.rows(`UPDATE tasks SET answer = '${full}' WHERE answer IS NOT NULL`);
      expect(await ok(submit())).toEqual(first);
      await world.advance(26 * 3_600_000);
      expect(await world.rows('SELECT owner FROM idempotency')).toEqual([]);
      expect(await ok(submit())).not.toEqual(first);
      expect(await world.rows('SELECT id FROM tasks')).toHaveLength(1 + count);
    },
  );

  it('makes one task of several with one key, and none of a request in which one conflicts', async () => {
    const world = await BrokerWorld.create();
    const keyed = (more = {}) => world.task({ idempotency_key: 'k', countdown: 1, ...more });
    const [first] = await world.submit(keyed());
    await world.inside(() => world.clock.advance(500));
    const [again, twin, fresh] = await world.submit(keyed(), keyed(), world.task());
    expect([again, twin]).toEqual([first, first]);
    expect(fresh).not.toBe(first);
    expect(await codeOf(world.api.submit(alice, [world.task(), keyed({ priority: 1 })]))).toBe('idempotency_conflict');
    expect(await world.rows('SELECT id FROM tasks')).toHaveLength(2);
  });
});

describe('running again', () => {
  it('makes a new task of a final one', async () => {
    const world = await BrokerWorld.create();
    const id = await world.submitOne({ labels: ['x'] });
    expect(await codeOf(world.api.retry(alice, id))).toBe('conflict');
    await ok(world.api.revoke(alice, id, false));
    const again = await ok(world.api.retry(alice, id, { key: 'r', bodyDigest: '' }));
    expect(await ok(world.api.retry(alice, id, { key: 'r', bodyDigest: '' }))).toEqual(again);
    const [old, fresh] = [await world.get(id), await world.get(again.task_id)];
    expect(fresh).toMatchObject({ state: 'PENDING', retry_of: id, labels: ['x'], kwargs: old.kwargs });
  });
});

describe('a commit', () => {
  it('takes in whatever came together, and writes little for each', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 100 });
    const before = await world.inside((broker) => broker.broking.core.database.rowsWritten);
    await Promise.all(Array.from({ length: 100 }, () => world.submitOne()));
    const held: { task_id: TaskId; attempt: number }[] = [];
    while (held.length < 100) held.push(...(await worker.next('tasks')).items);
    worker.say({
      type: 'outcomes',
      items: held.map(({ task_id, attempt }) => ({ task_id, attempt, outcome: success(0), runtime_ms: 1 })),
      credits: 0,
    });
    await worker.ack();
    const after = await world.inside((broker) => broker.broking.core.database.rowsWritten);
    expect((after - before) / 100).toBeLessThan(4);
  });

  it('that a defect breaks leaves nothing behind, and spares the others', async () => {
    const world = await BrokerWorld.create();
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const broken = { ...world.task(), priority: null as never };
    const [good, bad] = await Promise.all([
      world.api.submit(alice, [world.task()]),
      world.api.submit(alice, [world.task(), broken]),
    ]);
    expect(good).toHaveProperty('ok');
    expect(bad).toMatchObject({ error: { code: 'internal' } });
    expect(await world.rows('SELECT id FROM tasks')).toHaveLength(1);
    const worker = await world.worker({ credits: 5 });
    expect(await worker.task()).toMatchObject({ attempt: 1 });
  });
});
