import { describe, expect, it } from 'vitest';
import { isFinal, type AttemptRef, type TaskId, type WorkerId } from '#protocol';
import { checkpoint, writeLeases } from '../../edge/broker/lease-rows.ts';
import { alice, BrokerWorld, failure, helloFrame, ok, success, type TestSocket } from './helpers/broker.ts';

describe('an object that is unmade', () => {
  it('still serves workers that are parked on their sockets', async () => {
    const world = await BrokerWorld.create();
    const workers = await Promise.all(
      ['a', 'b', 'c'].map((name) => world.worker({ worker_id: name as WorkerId, credits: 2 })),
    );
    await world.hibernate();
    const ids = await world.submit(...Array.from({ length: 6 }, () => world.task()));
    const given = await Promise.all(workers.map(async (worker) => (await worker.next('tasks')).items));
    expect(given.flat().map((item) => item.task_id)).toHaveLength(6);
    expect(new Set(given.flat().map((item) => item.task_id))).toEqual(new Set(ids));
    await world.hibernate();
    workers.forEach((worker, index) =>
      worker.say({
        type: 'outcomes',
        items: given[index]!.map(({ task_id, attempt }) => ({ task_id, attempt, outcome: success(), runtime_ms: 1 })),
        credits: 2,
      }),
    );
    await Promise.all(workers.map((worker) => worker.ack()));
    for (const id of ids) expect(await world.state(id)).toBe('SUCCESS');
  });

  it('still tells its listeners, without repeating or skipping anything', async () => {
    const world = await BrokerWorld.create();
    const listener = await world.connect('/v1/events?types=task-sent');
    const first = await world.submitOne();
    await world.hibernate();
    const second = await world.submitOne();
    expect([await listener.event('task-sent'), await listener.event('task-sent')]).toMatchObject([
      { task_id: first },
      { task_id: second },
    ]);
    expect(listener.unread()).toEqual([]);
  });

  it('knows again what waits, what is held, and when what is due', async () => {
    const world = await BrokerWorld.create();
    await world.worker({ credits: 1 });
    const ids = await world.submit(world.task({ priority: 9 }), world.task(), world.task({ countdown: 60 }));
    const before = await Promise.all(ids.map((id) => world.get(id)));
    await world.evict();
    expect(await Promise.all(ids.map((id) => world.get(id)))).toEqual(before);
    const again = await world.connect();
    again.say(helloFrame({ holding: [{ task_id: ids[0]!, attempt: 1 }], credits: 1 }));
    expect((await again.next('welcome')).lost).toEqual([]);
    expect(await again.task()).toMatchObject({ task_id: ids[1] });
    await world.inside((_, state) => state.storage.setAlarm(Date.now()));
    again.say({ type: 'credits', add: 1 });
    await world.advance(20_000);
    expect(await world.alarm()).toBe(true);
  });

  it('knows how tasks ended that one commit ended in different ways', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 4 });
    const ids = await world.submit(...Array.from({ length: 4 }, () => world.task({ max_retries: 1 })));
    const given: AttemptRef[] = [];
    while (given.length < 4) {
      const { items } = await worker.next('tasks');
      given.push(...items.map(({ task_id, attempt }) => ({ task_id, attempt })));
    }
    worker.say({ type: 'progress', items: [{ ...given[3]!, progress: { fraction: 0.5 } }] });
    const outcomes = [success(), failure(true), failure(false), success()];
    worker.say({
      type: 'outcomes',
      items: given.map((ref, at) => ({ ...ref, outcome: outcomes[at]!, runtime_ms: 1 })),
      credits: 0,
    });
    await worker.ack();
    const views = await Promise.all(ids.map((id) => world.get(id)));
    expect(views.map(({ state, attempts, progress }) => [state, attempts.length, progress ?? null])).toEqual([
      ['SUCCESS', 1, null],
      ['RETRY', 1, null],
      ['FAILURE', 1, null],
      ['SUCCESS', 1, { fraction: 0.5 }],
    ]);
    await world.evict();
    expect(await Promise.all(ids.map((id) => world.get(id)))).toEqual(views);
  });

  it('knows from its log who was given what, and from the workers’ rows once that is forgotten', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne();
    const { attempt } = await worker.task();
    const before = await world.get(id);
    expect(before).toMatchObject({ state: 'RECEIVED', worker: 'w1' });
    const held = (): Promise<unknown[]> => world.rows(`SELECT held FROM leases WHERE held LIKE '%' || ? || '%'`, id);
    expect(await held()).toEqual([]);
    await world.hibernate();
    expect(await world.get(id)).toEqual(before);
    await world.inside(({ broking: { core } }) => {
      checkpoint(core);
      writeLeases(core);
    });
    expect(await held()).toHaveLength(1);
    await world.inside((_, state) => state.storage.sql.exec('UPDATE events SET items = ?, count = 0', ''));
    await world.hibernate();
    expect(await world.get(id)).toEqual(before);
    worker.say({ type: 'outcomes', items: [{ task_id: id, attempt, outcome: success(), runtime_ms: 1 }], credits: 0 });
    expect(await worker.ack()).toEqual([{ task_id: id, attempt, status: 'recorded' }]);
    await world.hibernate();
    expect(await world.state(id)).toBe('SUCCESS');
  });

  it('can end what waits before anything else has asked for it', async () => {
    const world = await BrokerWorld.create();
    const id = await world.submitOne();
    await world.evict();
    expect((await ok(world.api.revoke(alice, id, false))).state).toBe('REVOKED');
    await world.evict();
    expect(await world.state(id)).toBe('REVOKED');
  });

  it('gives light tasks out again whose executor it can no longer hear', async () => {
    const world = await BrokerWorld.create();
    await world.inside((broker) => {
      broker.broking.executor = () => new Promise(() => undefined);
    });
    const id = await world.submitOne({ task: 'ping', kwargs: {} });
    expect(await world.state(id)).toBe('STARTED');
    await world.evict();
    expect(await ok(world.api.wait(alice, id, 30))).toMatchObject({
      state: 'SUCCESS',
      attempts: [{ outcome: 'lost' }, { outcome: 'success' }],
    });
  });

  it('loses nothing and does nothing twice, whenever it happens', async () => {
    const world = await BrokerWorld.create();
    const ids: TaskId[] = [];
    const done = new Map<TaskId, number>();
    // The same course each time: a small generator instead of chance.
    let seed = 42;
    const draw = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    const workers = new Map<string, { socket: TestSocket; holding: AttemptRef[] }>();
    const join = async (name: string): Promise<void> => {
      const holding = workers.get(name)?.holding ?? [];
      const socket = await world.connect();
      socket.say(helloFrame({ worker_id: name as WorkerId, holding, credits: Math.max(0, 3 - holding.length) }));
      const { lost } = await socket.next('welcome');
      const kept = holding.filter((ref) => !lost.some((one) => one.task_id === ref.task_id));
      workers.set(name, { socket, holding: kept });
    };
    const take = async (name: string): Promise<void> => {
      const worker = workers.get(name)!;
      await worker.socket.settled();
      for (const frame of worker.socket.drain()) {
        if (frame.type === 'tasks')
          worker.holding.push(...frame.items.map(({ task_id, attempt }) => ({ task_id, attempt })));
      }
    };
    const report = async (name: string): Promise<void> => {
      const worker = workers.get(name)!;
      const items = worker.holding.splice(0, 1 + draw(2));
      if (items.length === 0) return;
      worker.socket.say({
        type: 'outcomes',
        items: items.map((ref) => ({ ...ref, outcome: success(`${name} ${ref.attempt}`), runtime_ms: 1 })),
        credits: items.length,
      });
      for (const item of await worker.socket.ack()) {
        if (item.status === 'recorded') done.set(item.task_id, (done.get(item.task_id) ?? 0) + 1);
      }
    };
    for (const name of ['a', 'b', 'c']) await join(name);
    for (let step = 0; step < 120; step++) {
      const name = 'abc'.charAt(draw(3));
      switch (draw(8)) {
        case 0:
          ids.push(...(await world.submit(...Array.from({ length: 1 + draw(4) }, () => world.task()))));
          break;
        case 1:
          await world.evict();
          for (const each of workers.keys()) await join(each);
          break;
        case 2:
          await world.hibernate();
          break;
        case 3:
          await join(name);
          break;
        case 4:
          await take(name);
          workers.get(name)!.socket.say({ type: 'goodbye', reason: 'test' });
          await workers.get(name)!.socket.closed;
          workers.get(name)!.holding = [];
          await join(name);
          break;
        default:
          await take(name);
          await report(name);
      }
    }
    const openIds = async (): Promise<TaskId[]> => {
      const views = await Promise.all(ids.map((id) => world.get(id)));
      return views.filter((view) => !isFinal(view.state)).map((view) => view.task_id);
    };
    while ((await openIds()).length > 0) {
      for (const name of workers.keys()) {
        await take(name);
        await report(name);
      }
    }
    expect(ids.length).toBeGreaterThan(20);
    for (const id of ids) {
      expect(done.get(id)).toBe(1);
      const { attempts } = await world.get(id);
      expect(attempts.filter((past) => past.outcome === 'success')).toHaveLength(1);
      expect(attempts.map((past) => past.attempt)).toEqual(attempts.map((_, index) => index + 1));
    }
  });
});
