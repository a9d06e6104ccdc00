import { describe, expect, it } from 'vitest';
import type { TaskId, WorkerId } from '#protocol';
import { alice, BrokerWorld, bob, codeOf, digestB, failure, helloFrame, ok, success } from './helpers/broker.ts';

const w2 = { worker_id: 'w2' as WorkerId };

/** A task that w1 holds. */
async function held(world: BrokerWorld, signature: Parameters<BrokerWorld['submitOne']>[0] = {}) {
  const worker = await world.worker({ credits: 1 });
  const id = await world.submitOne(signature);
  await worker.task();
  return { worker, id };
}

function outcome(id: TaskId, attempt: number, what: ReturnType<typeof success | typeof failure>) {
  return {
    type: 'outcomes' as const,
    items: [{ task_id: id, attempt, outcome: what, runtime_ms: 10 }],
    credits: 0,
  };
}

describe('a lease', () => {
  it('runs out without heartbeats, and the task goes to another worker at once', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world);
    await world.advance(31_000);
    expect(await world.get(id)).toMatchObject({ state: 'RETRY', retries: 0, error: { type: 'worker_lost' } });
    const other = await world.worker({ ...w2, credits: 1 });
    expect(await other.task()).toMatchObject({ task_id: id, attempt: 2 });
    worker.say(outcome(id, 1, success()));
    expect(await worker.ack()).toEqual([{ task_id: id, attempt: 1, status: 'lease_lost' }]);
    other.say(outcome(id, 2, success('second')));
    await other.ack();
    const { state, result, attempts } = await world.get(id);
    expect({ state, result }).toEqual({ state: 'SUCCESS', result: 'second' });
    expect(attempts.map((past) => past.outcome)).toEqual(['lost', 'success']);
  });

  it('is renewed by the heartbeats that the runtime answers', async () => {
    const world = await BrokerWorld.create();
    // Heartbeats bear the real time, so that the test’s clock lies behind it.
    await world.inside(() => world.clock.advance(-60_000));
    const { worker, id } = await held(world);
    await worker.heartbeat();
    await world.advance(31_000);
    expect(await world.state(id)).toBe('RECEIVED');
    await world.advance(60_000);
    expect(await world.state(id)).toBe('RETRY');
  });

  it('still lets the attempt report after it ran out, while nobody else has the task', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world);
    await world.advance(31_000);
    worker.say(outcome(id, 1, success('late')));
    expect(await worker.ack()).toEqual([{ task_id: id, attempt: 1, status: 'recorded' }]);
    expect(await world.get(id)).toMatchObject({ state: 'SUCCESS', result: 'late', attempts: [{ outcome: 'success' }] });
    const other = await world.worker({ ...w2, credits: 1 });
    await other.settled();
    expect(other.unread()).toEqual([]);
  });

  it('is given back to its worker that returns with the work, while nobody else has it', async () => {
    const world = await BrokerWorld.create();
    const { id } = await held(world);
    await world.advance(31_000);
    const again = await world.connect();
    again.say(helloFrame({ holding: [{ task_id: id, attempt: 1 }] }));
    expect((await again.next('welcome')).lost).toEqual([]);
    expect(await world.get(id)).toMatchObject({ state: 'STARTED', attempts: [{ attempt: 1, outcome: null }] });
    again.say(outcome(id, 1, success('done')));
    await again.ack();
    expect(await world.get(id)).toMatchObject({ state: 'SUCCESS', result: 'done' });
  });

  it('tells a returning worker what it has lost', async () => {
    const world = await BrokerWorld.create();
    const { id } = await held(world);
    await world.advance(31_000);
    await (await world.worker({ ...w2, credits: 1 })).task();
    const again = await world.connect();
    again.say(helloFrame({ holding: [{ task_id: id, attempt: 1 }] }));
    expect((await again.next('welcome')).lost).toEqual([{ task_id: id, attempt: 1 }]);
  });

  it('ends when a returning worker does not hold the task any more', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world);
    const again = await world.connect();
    again.say(helloFrame({ credits: 1 }));
    await again.next('welcome');
    expect(await again.task()).toMatchObject({ task_id: id, attempt: 2 });
    expect((await worker.closed).code).toBe(4409);
    expect((await world.get(id)).attempts[0]).toMatchObject({ attempt: 1, outcome: 'released' });
  });

  it('is the only one of a task that must not run twice, whether its worker is silent or knows nothing of it', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 2 });
    const once = () => world.submitOne({ dont_retry_on: ['worker_lost'] });
    const ids = [await once(), await once()];
    await worker.task();
    await worker.task();
    const again = await world.connect();
    again.say(helloFrame({ credits: 5, holding: [{ task_id: ids[0]!, attempt: 1 }] }));
    await again.next('welcome');
    await world.advance(31_000);
    for (const id of ids) {
      expect(await world.get(id)).toMatchObject({
        state: 'FAILURE',
        error: { type: 'worker_lost' },
        attempts: [{ attempt: 1, outcome: 'lost' }],
      });
    }
  });

  it('lasts a full period after a restart of the edge, however often the object is evicted meanwhile', async () => {
    const world = await BrokerWorld.create();
    const { id } = await held(world);
    await world.inside(() => world.clock.advance(29_000));
    await world.restart();
    const ends = await world.inside((broker) => {
      // Built with the system’s clock; the lease counts from then.
      const [lease] = [...broker.broking.core.leases.all()];
      expect(lease?.expiresMs).toBeGreaterThanOrEqual(Date.now() + 29_000);
      expect(lease?.graces).toBe(1);
      return lease?.expiresMs;
    });
    for (let time = 0; time < 2; time++) {
      await world.evict();
      await world.inside((broker) => {
        const [lease] = [...broker.broking.core.leases.all()];
        expect(lease).toMatchObject({ graces: 1, expiresMs: ends });
      });
    }
    expect(await world.state(id)).toBe('RECEIVED');
  });

  it('counts repeated reports once', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world);
    worker.say(outcome(id, 1, success(1)));
    worker.say(outcome(id, 1, success(1)));
    expect(await worker.ack()).toEqual([{ task_id: id, attempt: 1, status: 'recorded' }]);
    expect(await worker.ack()).toEqual([{ task_id: id, attempt: 1, status: 'recorded' }]);
    expect((await ok(world.api.workers(alice))).find((row) => row.worker_id === 'w1')).toMatchObject({ succeeded: 1 });
  });

  it('belongs to its worker: others’ reports are lost', async () => {
    const world = await BrokerWorld.create();
    const { id } = await held(world);
    const other = await world.worker(w2);
    other.say(outcome(id, 1, success()));
    expect((await other.ack())[0]).toMatchObject({ status: 'lease_lost' });
    expect(await codeOf(world.api.result(bob, id, { attempt: 1, result: 1 }))).toBe('lease_lost');
    expect(await codeOf(world.api.renew(alice, id, { attempt: 2 }))).toBe('lease_lost');
  });

  it('lasts to the hard time limit when a group adopts it, and any member may report', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world, { time_limit: 600, soft_time_limit: 500 });
    worker.say({ type: 'adopt', group: 'lab', items: [{ task_id: id, attempt: 1 }] });
    worker.say({ type: 'goodbye', reason: 'done' });
    await worker.closed;
    await world.advance(500_000);
    expect(await world.state(id)).toBe('STARTED');
    expect(await ok(world.api.result(alice, id, { attempt: 1, result: 'kept' }))).toEqual({ status: 'recorded' });
    expect(await world.get(id)).toMatchObject({ state: 'SUCCESS', result: 'kept' });
  });
});

describe('leases over HTTP', () => {
  const request = {
    worker_id: 'h1' as WorkerId,
    queues: ['default'],
    count: 2,
    capabilities: helloFrame().capabilities,
    kernel_digest: digestB,
  };

  it('are given, renewed and reported, and repeats change nothing', async () => {
    const world = await BrokerWorld.create();
    const id = await world.submitOne();
    const [task] = await ok(world.api.lease(alice, request));
    expect(task).toMatchObject({ task_id: id, attempt: 1 });
    expect(await world.state(id)).toBe('STARTED');
    await world.advance(20_000);
    await ok(world.api.renew(alice, id, { attempt: 1 }));
    await world.advance(20_000);
    expect(await world.state(id)).toBe('STARTED');
    await ok(world.api.progress(alice, id, { attempt: 1, progress: { fraction: 0.5 } }));
    expect((await world.get(id)).progress).toEqual({ fraction: 0.5 });
    await ok(world.api.result(alice, id, { attempt: 1, result: 3 }));
    await ok(world.api.result(alice, id, { attempt: 1, result: 3 }));
    expect(await codeOf(world.api.renew(alice, id, { attempt: 1 }))).toBe('lease_lost');
    expect(await world.get(id)).toMatchObject({ state: 'SUCCESS', result: 3, worker: 'h1' });
  });

  it('are refused under the name of somebody else’s worker', async () => {
    const world = await BrokerWorld.create();
    await ok(world.api.lease(alice, request));
    expect(await codeOf(world.api.lease(bob, request))).toBe('forbidden');
  });
});

describe('time limits and retries', () => {
  it('ends an attempt at the hard limit, a grace after the worker should have', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world, { time_limit: 10, max_retries: 0 });
    worker.say({ type: 'started', items: [{ task_id: id, attempt: 1 }] });
    await worker.settled();
    await world.advance(14_000);
    expect(await world.state(id)).toBe('STARTED');
    await world.advance(1_500);
    expect(await world.get(id)).toMatchObject({ state: 'FAILURE', error: { type: 'time_limit_exceeded' } });
    expect((await worker.next('revoke')).items).toEqual([{ task_id: id, attempt: 1, terminate: true }]);
    worker.say(outcome(id, 1, success()));
    expect((await worker.ack())[0]).toMatchObject({ status: 'lease_lost' });
  });

  it('retries a failure after its back-off, and fails when the retries are used up', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world, { max_retries: 1, retry_backoff: 100 });
    worker.say({ ...outcome(id, 1, failure()), credits: 1 });
    await worker.ack();
    expect(await world.get(id)).toMatchObject({ state: 'RETRY', retries: 1, error: { type: 'task_failed' } });
    // Full jitter takes the share that chance says: half.
    await world.advance(20_000);
    worker.say({ type: 'credits', add: 1 });
    await world.advance(20_000);
    worker.say({ type: 'credits', add: 1 });
    await worker.settled();
    expect(worker.unread()).toEqual([]);
    await world.advance(11_000);
    expect(await worker.task()).toMatchObject({ task_id: id, attempt: 2, retries: 1 });
    worker.say(outcome(id, 2, failure()));
    await worker.ack();
    expect(await world.get(id)).toMatchObject({ state: 'FAILURE', attempts: [{ outcome: 'failure' }, {}] });
  });

  it('does not retry what no retry can mend', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world);
    worker.say(outcome(id, 1, failure(false)));
    await worker.ack();
    expect(await world.state(id)).toBe('FAILURE');
  });

  it('gives up a task that has lost many workers', async () => {
    const world = await BrokerWorld.create();
    await world.inside((broker) => {
      Object.assign(broker.broking.core, { config: { ...broker.broking.core.config, extraLosses: 1 } });
    });
    const { worker, id } = await held(world, { max_retries: 0 });
    await world.advance(31_000);
    worker.say({ type: 'credits', add: 1 });
    expect(await worker.task()).toMatchObject({ attempt: 2 });
    await world.advance(31_000);
    expect(await world.get(id)).toMatchObject({ state: 'FAILURE', error: { type: 'worker_lost' } });
  });
});

describe('giving back', () => {
  const snapshot = { kernel_digest: 'a'.repeat(64), data: 'AAAA' };

  it('hands a task with its snapshot to another worker with the same kernels', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world);
    worker.say({ type: 'snapshot', task_id: id, attempt: 1, snapshot });
    worker.say({
      type: 'outcomes',
      items: [{ task_id: id, attempt: 1, outcome: { type: 'released', reason: 'tab closes' }, runtime_ms: 1 }],
      credits: 0,
    });
    await worker.ack();
    expect(await world.get(id)).toMatchObject({ state: 'PENDING', retries: 0 });
    const other = await world.worker({ ...w2, credits: 1 });
    expect(await other.task()).toMatchObject({ attempt: 2, snapshot });
    other.say(outcome(id, 2, success()));
    await other.ack();
    expect(await world.rows('SELECT * FROM payloads')).toEqual([]);
  });

  it('keeps a snapshot from a worker with other kernels', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world);
    worker.say({ type: 'snapshot', task_id: id, attempt: 1, snapshot });
    worker.say({ type: 'goodbye', reason: 'closing' });
    expect((await worker.closed).code).toBe(1000);
    const other = await world.worker({ ...w2, kernel_digest: digestB, credits: 1 });
    expect(await other.task()).toMatchObject({ task_id: id, attempt: 2, snapshot: null });
  });

  it('keeps the leases of a socket that breaks until they run out', async () => {
    const world = await BrokerWorld.create();
    const { worker, id } = await held(world);
    worker.socket.close(1001, 'away');
    const other = await world.worker({ ...w2, credits: 1 });
    await other.settled();
    expect(other.unread()).toEqual([]);
    await world.advance(31_000);
    other.say({ type: 'credits', add: 1 });
    expect(await other.task()).toMatchObject({ task_id: id, attempt: 2 });
  });
});
