import { describe, expect, it } from 'vitest';
import type { Outcome } from '#protocol';
import { alice, BrokerWorld, ok } from './helpers/broker.ts';

describe('light tasks', () => {
  it('run in the stateless Worker, without any worker', async () => {
    const world = await BrokerWorld.create();
    const points = [
      [1, 2],
      [2, 1],
      [2, 2],
    ];
    const [ping, front] = await world.submit(
      world.task({ task: 'tasks.simple_tasks.ping', kwargs: {} }),
      world.task({ task: 'compute_pareto_front', kwargs: { points, directions: ['min', 'min'], reference: [3, 3] } }),
    );
    expect(await ok(world.api.wait(alice, ping!, 30))).toMatchObject({ state: 'SUCCESS', result: { status: 'pong' } });
    const result = { front: [0, 1], ranks: [0, 0, 1], crowding: [null, null, null], hypervolume: 3 };
    expect(await ok(world.api.wait(alice, front!, 30))).toMatchObject({ state: 'SUCCESS', result, worker: 'edge' });
    const rows = await ok(world.api.workers(alice));
    expect(rows).toMatchObject([{ worker_id: 'edge', state: 'online', succeeded: 2, active: 0 }]);
  });

  it('are left to workers when they are large', async () => {
    const world = await BrokerWorld.create();
    const points = Array.from({ length: 1001 }, (_, index) => [index, -index]);
    const id = await world.submitOne({ task: 'compute_pareto_front', kwargs: { points, directions: ['min', 'min'] } });
    expect(await world.state(id)).toBe('PENDING');
    const worker = await world.worker({ credits: 1 });
    expect(await worker.task()).toMatchObject({ task_id: id });
  });

  it('go out again when their executor is lost, a few at a time', async () => {
    const world = await BrokerWorld.create();
    const calls: ((outcome: Outcome | null) => void)[] = [];
    let running = 0;
    let most = 0;
    await world.inside((broker) => {
      broker.broking.executor = async (): Promise<Outcome> => {
        most = Math.max(most, ++running);
        const outcome = await new Promise<Outcome | null>((resolve) => calls.push(resolve));
        running--;
        if (outcome === null) throw new Error('the executor vanished');
        return outcome;
      };
    });
    const ids = await world.submit(...Array.from({ length: 10 }, () => world.task({ task: 'ping', kwargs: {} })));
    expect(calls).toHaveLength(8);
    await world.inside(() => calls.shift()?.(null));
    const waits = ids.map((id) => ok(world.api.wait(alice, id, 60)));
    const done = Promise.all(waits);
    const finished = done.then(() => true);
    while (!(await Promise.race([finished, world.inside(() => false)]))) {
      await world.inside(() => calls.splice(0).forEach((answer) => answer({ type: 'success', result: null })));
    }
    expect(most).toBe(8);
    const views = await done;
    expect(views.every((view) => view.state === 'SUCCESS')).toBe(true);
    expect(views.flatMap((view) => view.attempts).filter((past) => past.outcome === 'lost')).toHaveLength(1);
  });
});
