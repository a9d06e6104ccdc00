import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { WorkerId } from '#protocol';
import { monitor } from '../../edge/monitor/rpc.ts';
import { brokerShard, principalHeader } from '../../edge/broker/rpc.ts';
import type { Env } from '../../edge/env.ts';
import { prepare } from '../../edge/tasks/prepare.ts';
import { alice, helloFrame, ok, success, TestSocket } from './helpers/broker.ts';
import { FakeClock } from './helpers/clock.ts';

const testEnv = env as unknown as Env;

async function join(name: string): Promise<TestSocket> {
  const response = await brokerShard(testEnv, 0).fetch('https://edge/v1/worker', {
    headers: { upgrade: 'websocket', [principalHeader]: JSON.stringify(alice) },
  });
  const socket = new TestSocket(response.webSocket!);
  socket.say(helloFrame({ worker_id: name as WorkerId, credits: 1, queues: [name] }));
  await socket.next('welcome');
  return socket;
}

describe('the monitor', () => {
  it('shows who is there, what they have done, and who has left', async () => {
    const [stays, leaves] = [await join('stays'), await join('leaves')];
    const task = prepare(
      {
        task: 'evaluate_candidates',
        kwargs: { candidates: [[1]], evaluator: { kind: 'named', name: 'sim' } },
        queue: 'stays',
      },
      { owner: 'alice', nowMs: Date.now() },
    );
    await ok(brokerShard(testEnv, 0).submit(alice, [task, task]));
    const { task_id, attempt } = await stays.task();
    stays.say({
      type: 'outcomes',
      items: [{ task_id, attempt, outcome: success(), runtime_ms: 1 }],
      credits: 1,
    });
    await stays.ack();
    await stays.task();
    leaves.say({ type: 'goodbye', reason: 'done' });
    await leaves.closed;
    const table = await ok(monitor(testEnv).workers());
    expect(table).toMatchObject([
      { worker_id: 'leaves', state: 'offline', active: 0, succeeded: 0 },
      { worker_id: 'stays', state: 'online', active: 1, succeeded: 1, failed: 0 },
    ]);
    const [stats] = await ok(monitor(testEnv).stats());
    expect(stats).toMatchObject({ shard: 0, workers_online: 1 });
    expect(stats?.tallies.events).toContainEqual({
      type: 'task-succeeded',
      task: 'evaluate_candidates',
      queue: 'stays',
      count: 1,
    });
    expect(stats?.tallies.runtimes).toMatchObject([{ task: 'evaluate_candidates', state: 'SUCCESS' }]);
  });

  it('remembers what it saw, once a minute', async () => {
    const namespace = testEnv.MONITOR;
    const stub = namespace.get(namespace.idFromName('main'));
    const clock = new FakeClock();
    const startMs = clock.now();
    await runInDurableObject(stub, (object) => (object.clock.source = clock));
    for (let n = 0; n < 3; n++) {
      await ok(monitor(testEnv).stats());
      await ok(monitor(testEnv).stats());
      await runInDurableObject(stub, () => clock.advance(60_000));
    }
    const samples = await ok(monitor(testEnv).history(startMs + 1));
    expect(samples).toHaveLength(2);
    expect(samples[0]).toMatchObject({
      workers_online: expect.any(Number) as number,
      waiting: expect.any(Number) as number,
    });
  });
});
