import { describe, expect, it } from 'vitest';
import type { Signature, TaskId, WorkerId } from '#protocol';
import { Allowance, type Wish } from '../../edge/broker/flow/allowance.ts';
import { Gate } from '../../edge/broker/flow/gate.ts';
import type { FlowRow } from '../../edge/broker/flow/settings.ts';
import type { LeaseRequest } from '../../edge/broker/rpc.ts';
import { alice, bob, BrokerWorld, codeOf, digestA, helloFrame, ok, success, TestSocket } from './helpers/broker.ts';

const pareto: Partial<Signature> = { task: 'compute_pareto_front', kwargs: { points: [[1]], directions: ['min'] } };
const training: Partial<Signature> = {
  task: 'train_surrogate',
  priority: 5,
  kwargs: { rows: [[1, 2]], inputs: ['a'], targets: ['b'] },
};

/** The ids that a worker is given from now on, in order. */
async function given(worker: TestSocket): Promise<TaskId[]> {
  await worker.settled();
  // Tasks follow the acknowledgement of the commit that gave them out.
  await worker.settled();
  return worker.drain().flatMap((frame) => (frame.type === 'tasks' ? frame.items.map((item) => item.task_id) : []));
}

function finish(worker: TestSocket, id: TaskId, credits = 1, attempt = 1): void {
  worker.say({ type: 'outcomes', items: [{ task_id: id, attempt, outcome: success(), runtime_ms: 1 }], credits });
}

const overHttp: LeaseRequest = {
  worker_id: 'http' as WorkerId,
  queues: ['default'],
  count: 10,
  capabilities: helloFrame().capabilities,
  kernel_digest: digestA,
};

describe('a rate limit', () => {
  it('of a task type holds over all workers, holds up no other type, and outlives the object', async () => {
    const world = await BrokerWorld.create();
    await ok(world.api.patchTaskType('evaluate_candidates', { rate_limit: '2/s' }));
    const limited = await world.submit(...Array.from({ length: 5 }, () => world.task()));
    const free = await world.submitOne(training);
    const [one, other] = [
      await world.worker({ credits: 5 }),
      await world.worker({ worker_id: 'w2' as WorkerId, credits: 5 }),
    ];
    const first = [...(await given(one)), ...(await given(other))];
    expect(new Set(first)).toEqual(new Set([limited[0], free]));
    const counts: number[] = [];
    for (let n = 0; n < 3; n++) {
      await world.advance(499);
      counts.push((await given(one)).length + (await given(other)).length);
      await world.advance(1);
      counts.push((await given(one)).length + (await given(other)).length);
    }
    expect(counts).toEqual([0, 1, 0, 1, 0, 1]);
    await world.evict();
    const again = await world.worker({ credits: 5, worker_id: 'w3' as WorkerId });
    expect(await given(again)).toEqual([]);
    await world.advance(500);
    expect(await given(again)).toEqual([limited[4]]);
  });

  it('of a queue counts all its types, and is lifted again', async () => {
    const world = await BrokerWorld.create();
    expect(await ok(world.api.patchQueue('default', { rate_limit: '1/m' }))).toMatchObject({ rate_limit: '1/m' });
    const ids = await world.submit(world.task(), world.task(training), world.task({ queue: 'low_priority' }));
    expect(await ok(world.api.lease(alice, { ...overHttp, queues: ['default', 'low_priority'] }))).toHaveLength(2);
    await ok(world.api.patchQueue('default', { rate_limit: null }));
    const rest = await ok(world.api.lease(alice, overHttp));
    expect(rest.map((lease) => lease.task_id)).toEqual([ids[1]]);
  });

  it('is not spent by tasks that have expired', async () => {
    const world = await BrokerWorld.create();
    await ok(world.api.patchQueue('default', { rate_limit: '1/h' }));
    await world.submitOne({ expires: 1 });
    const living = await world.submitOne();
    await world.inside(() => world.clock.advance(2000));
    const worker = await world.worker({ credits: 2 });
    expect(await given(worker)).toEqual([living]);
  });

  it('is kept by its home shard, of which the others borrow what they can use', async () => {
    const world = await BrokerWorld.create();
    await ok(world.api.patchTaskType('evaluate_candidates', { rate_limit: '1/s' }));
    const asked: Wish[] = [];
    await world.inside((broker) => {
      const { core } = broker.broking;
      // As a shard that is not this rate’s home.
      const shard = [0, 1].find(
        (each) => new Allowance(core.flow, each, 2).waitMs('task', 'evaluate_candidates', 0) > 0,
      );
      const allowance = new Allowance(core.flow, shard!, 2);
      const borrow = (wish: Wish) => {
        asked.push(wish);
        return Promise.resolve(asked.length === 1 ? { granted: 1, waitMs: 1000 } : { granted: 2, waitMs: 1000 });
      };
      Object.assign(core, { allowance, gate: new Gate(core.flow, allowance), reach: { ...core.reach, borrow } });
    });
    const ids = await world.submit(...Array.from({ length: 3 }, () => world.task()));
    const worker = await world.worker({ credits: 2 });
    expect(await worker.task()).toMatchObject({ task_id: ids[0] });
    await world.advance(999);
    expect(await given(worker)).toEqual([]);
    worker.say({ type: 'credits', add: 4 });
    await world.advance(1);
    expect((await worker.next('tasks')).items.map((item) => item.task_id)).toEqual([ids[1], ids[2]]);
    expect(asked).toMatchObject([
      { scope: 'task', name: 'evaluate_candidates', count: 2 },
      { scope: 'task', name: 'evaluate_candidates', count: 5 },
    ]);
    worker.say({ type: 'goodbye', reason: 'done' });
    await worker.closed;
    // A caller over HTTP waits for what is lent to it.
    await world.inside(() => world.clock.advance(1000));
    const leases = await ok(world.api.lease(alice, { ...overHttp, count: 1 }));
    expect(leases.map((lease) => lease.task_id)).toEqual([ids[0]]);
  });
});

describe('a concurrency limit', () => {
  const keyed = (key: string, limit?: number): Partial<Signature> => ({
    concurrency_key: key,
    ...(limit === undefined ? {} : { concurrency_limit: limit }),
  });

  it('lets so many of a key run, over queues and types, and holds up nothing else', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 10 });
    const [a1, a2, b1, free] = await world.submit(
      world.task(keyed('a')),
      world.task({ ...training, ...keyed('a'), queue: 'low_priority' }),
      world.task(keyed('b')),
      world.task(),
    );
    expect(await given(worker)).toEqual([a1, b1, free]);
    finish(worker, a1!, 0);
    expect(await given(worker)).toEqual([a2]);
  });

  it('counts what is out on lease, whatever becomes of it', async () => {
    const world = await BrokerWorld.create();
    const ids = await world.submit(...Array.from({ length: 4 }, () => world.task(keyed('a', 2))));
    const worker = await world.worker({ credits: 4 });
    expect(await given(worker)).toEqual(ids.slice(0, 2));
    await world.evict();
    const other = await world.worker({ worker_id: 'w2' as WorkerId, credits: 4 });
    expect(await given(other)).toEqual([]);
    // The first worker is gone: its leases run out, and both tasks go to the other.
    await world.advance(31_000);
    expect(await given(other)).toEqual(ids.slice(0, 2));
    // It comes back for what it had, and hears that it has lost it.
    const back = await world.connect();
    back.say(helloFrame({ holding: ids.slice(0, 2).map((task_id) => ({ task_id, attempt: 1 })) }));
    expect((await back.next('welcome')).lost).toHaveLength(2);
    finish(other, ids[0]!, 0, 2);
    expect(await given(other)).toEqual([ids[2]]);
  });

  it('is each owner’s own', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 4 });
    const mine = await world.submitOne(keyed('a'));
    const [theirs] = await ok(world.api.submit(bob, [world.task(keyed('a'), { owner: 'bob' })]));
    expect(await given(worker)).toEqual([mine, theirs!.task_id]);
  });

  it('is no scan of what must wait: thousands of keys are served in turn', async () => {
    const world = await BrokerWorld.create();
    const tasks = Array.from({ length: 2000 }, (_, n) => world.task(keyed(`k${n % 1000}`)));
    await ok(world.api.submit(alice, tasks));
    const leases = await ok(world.api.lease(alice, { ...overHttp, count: 200 }));
    expect(leases).toHaveLength(200);
    expect(await world.rows('SELECT count(*) AS lanes FROM lanes')).toEqual([{ lanes: 1000 }]);
    const before = await world.inside((broker) => broker.broking.core.database.rowsRead);
    await ok(world.api.lease(alice, { ...overHttp, count: 1 }));
    const after = await world.inside((broker) => broker.broking.core.database.rowsRead);
    expect(after - before).toBeLessThan(50);
  });
});

describe('owners', () => {
  it('take turns within a priority', async () => {
    const world = await BrokerWorld.create();
    const mine = await world.submit(...Array.from({ length: 6 }, () => world.task()));
    const [theirs] = await ok(world.api.submit(bob, [world.task({}, { owner: 'bob' })]));
    const worker = await world.worker({ credits: 3 });
    expect(await given(worker)).toEqual([mine[0], theirs!.task_id, mine[1]]);
  });
});

describe('a queue', () => {
  it('that is paused gives nothing out, takes tasks in, and goes on where it was', async () => {
    const world = await BrokerWorld.create();
    await ok(world.api.patchQueue('default', { paused: true }));
    const light = await world.submitOne({ ...pareto, queue: 'default' });
    const heavy = await world.submitOne();
    const worker = await world.worker({ credits: 5 });
    expect(await given(worker)).toEqual([]);
    expect(await ok(world.api.lease(alice, overHttp))).toEqual([]);
    expect(await world.state(light)).toBe('PENDING');
    await world.evict();
    const again = await world.worker({ credits: 5 });
    expect(await given(again)).toEqual([]);
    await ok(world.api.patchQueue('default', { paused: false }));
    expect(await given(again)).toContain(heavy);
  });

  it('that is full refuses, all or none, and says how much room there is; campaigns are let in', async () => {
    const world = await BrokerWorld.create();
    await ok(world.api.patchQueue('default', { max_length: 3 }));
    await world.submit(world.task(), world.task({ countdown: 60 }));
    const refused = await world.api.submit(alice, [world.task(), world.task()]);
    expect(refused).toMatchObject({ error: { code: 'queue_full', details: { length: 2, max_length: 3 } } });
    await world.submit(world.task({ queue: 'low_priority' }), world.task());
    expect(await codeOf(world.api.submit(alice, [world.task()]))).toBe('queue_full');
    // What runs has left the queue.
    expect(await ok(world.api.lease(alice, { ...overHttp, count: 1 }))).toHaveLength(1);
    await world.submit(world.task());
    const id = `${world.shard}-01k9zzzzzz0000000000000001` as TaskId;
    const sent = [{ seq: 1, body: { type: 'submit', tasks: [world.task({}, { taskId: id })] } as never }];
    await ok(world.api.deliver({ object: 'beat', name: 'b' }, sent));
    expect(await world.state(id)).toBe('PENDING');
  });

  it('that is purged is empty: what waits is revoked, what runs and what is scheduled goes on', async () => {
    const world = await BrokerWorld.create();
    const [running, waiting, scheduled] = await world.submit(
      world.task({ priority: 9 }),
      world.task(),
      world.task({ countdown: 60 }),
    );
    const elsewhere = await world.submitOne({ queue: 'low_priority' });
    await ok(world.api.lease(alice, { ...overHttp, count: 1 }));
    expect(await ok(world.api.purge('default', { scheduled: false }))).toBe(1);
    expect(await world.get(waiting!)).toMatchObject({ state: 'REVOKED', error: { type: 'revoked' } });
    expect(await ok(world.api.purge('default', { scheduled: true }))).toBe(1);
    expect(await world.state(scheduled!)).toBe('REVOKED');
    expect([await world.state(running!), await world.state(elsewhere)]).toEqual(['STARTED', 'PENDING']);
  });

  it('tells its lengths, which are counted as they change', async () => {
    const world = await BrokerWorld.create();
    const lengths = async () => {
      const view = (await ok(world.api.queues())).find(({ queue }) => queue === 'default')!;
      return [view.waiting, view.scheduled, view.running];
    };
    const [first] = await world.submit(world.task({ priority: 9 }), world.task(), world.task({ countdown: 60 }));
    expect(await lengths()).toEqual([2, 1, 0]);
    const [lease] = await ok(world.api.lease(alice, { ...overHttp, count: 1 }));
    expect(lease?.task_id).toBe(first);
    expect(await lengths()).toEqual([1, 1, 1]);
    await world.submit(world.task(), world.task());
    await ok(world.api.result(alice, first!, { attempt: 1, result: 1 }));
    expect(await lengths()).toEqual([3, 1, 0]);
    await world.advance(60_000);
    expect(await lengths()).toEqual([4, 0, 0]);
    const worker = await world.worker({ credits: 1 });
    const passing = await given(worker);
    worker.say({ type: 'credits', add: 1 });
    await given(worker);
    expect(await lengths()).toEqual([2, 0, 2]);
    await world.hibernate();
    expect(await lengths()).toEqual([2, 0, 2]);
    worker.say({
      type: 'outcomes',
      items: [
        {
          task_id: passing[0]!,
          attempt: 1,
          outcome: { type: 'failure', retryable: true, error: { type: 'task_failed', message: 'm' } },
          runtime_ms: 1,
        },
      ],
      credits: 0,
    });
    await worker.settled();
    expect(await lengths()).toEqual([2, 1, 1]);
  });
});

describe('a shard that is added', () => {
  it('gives nothing out before it has what is set in the first, and lets rates begin a window later', async () => {
    const world = await BrokerWorld.create();
    const answers: (FlowRow[] | Error)[] = [
      new Error('the first shard is away'),
      [
        { scope: 'queue', name: 'low_priority', settings: { paused: true } },
        { scope: 'task', name: 'evaluate_candidates', settings: { rate_limit: '1/s' } },
      ],
    ];
    await world.inside((broker) => {
      const { core } = broker.broking;
      // As one of two shards, which it was not when it was built.
      Object.assign(core, {
        config: { ...core.config, shards: 2 },
        gate: new Gate(core.flow, core.allowance, () => core.flow.isComplete(1, 2)),
        reach: {
          ...core.reach,
          flowRows: () => {
            const answer = answers.shift()!;
            return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
          },
        },
      });
    });
    const worker = await world.worker({ credits: 5 });
    const [limited] = await world.submit(world.task(), world.task({ ...training, queue: 'low_priority' }));
    const free = await world.submitOne(training);
    expect(await given(worker)).toEqual([]);
    await world.inside((broker) => broker.broking.flow.copySettings());
    expect(await given(worker)).toEqual([]);
    await world.advance(1000);
    expect((await worker.next('tasks')).items.map((item) => item.task_id)).toEqual([free]);
    await world.advance(1000);
    expect((await worker.next('tasks')).items.map((item) => item.task_id)).toEqual([limited]);
    expect(answers).toEqual([]);
    await world.hibernate();
    expect(await world.inside((broker) => broker.broking.core.flow.isComplete(1, 2))).toBe(true);
    expect((await ok(world.api.queues())).find(({ queue }) => queue === 'low_priority')).toMatchObject({
      paused: true,
    });
  });
});

describe('time limits of a task type', () => {
  it('are for what begins from now on and names none of its own', async () => {
    const world = await BrokerWorld.create();
    const [plain, own] = await world.submit(world.task(), world.task({ time_limit: 70 }));
    await ok(world.api.patchTaskType('evaluate_candidates', { time_limit: 100, soft_time_limit: 90 }));
    const leases = await ok(world.api.lease(alice, overHttp));
    const limits = Object.fromEntries(
      leases.map((lease) => [lease.task_id, [lease.soft_time_limit_ms, lease.time_limit_ms]]),
    );
    expect(limits).toEqual({ [plain!]: [90_000, 100_000], [own!]: [70_000, 70_000] });
    await ok(world.api.patchTaskType('evaluate_candidates', { time_limit: null, soft_time_limit: null }));
    expect(await ok(world.api.taskTypeSettings())).toEqual({
      evaluate_candidates: { rate_limit: null, soft_time_limit: null, time_limit: null },
    });
  });

  it('are for one item, and hold for tasks that are run again as for those of the first time', async () => {
    const world = await BrokerWorld.create();
    await ok(world.api.patchTaskType('evaluate_candidates', { time_limit: 10, soft_time_limit: 10 }));
    const two = { kwargs: { candidates: [[1], [2]], evaluator: { kind: 'named', name: 'sim' } } };
    const first = await world.submit(world.task(two), world.task({ time_limit: 7 }));
    const again: TaskId[] = [];
    for (const id of first) {
      await ok(world.api.revoke(alice, id, true));
      again.push((await ok(world.api.retry(alice, id))).task_id);
    }
    const leases = await ok(world.api.lease(alice, overHttp));
    expect(leases.map((lease) => [lease.task_id, lease.time_limit_ms])).toEqual([
      [again[0], 20_000],
      [again[1], 7_000],
    ]);
  });

  it('survive with the lease that was given under them', async () => {
    const world = await BrokerWorld.create();
    await ok(world.api.patchTaskType('evaluate_candidates', { time_limit: 10 }));
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne();
    await worker.task();
    await world.hibernate();
    const limitMs = await world.inside((broker) => broker.broking.core.leases.get(id)?.limitMs);
    expect(limitMs).toBe(10_000);
  });
});
