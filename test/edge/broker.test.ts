import { describe, expect, it } from 'vitest';
import { alice, bob, BrokerWorld, codeOf, ok, principal, success } from './helpers/broker.ts';

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
