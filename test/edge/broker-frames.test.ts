import { describe, expect, it } from 'vitest';
import type { Json, TaskId, WorkerId } from '#protocol';
import { principalHeader } from '../../edge/broker/rpc.ts';
import { alice, bob, BrokerWorld, codeOf, helloFrame, ok, success } from './helpers/broker.ts';

describe('a worker’s socket', () => {
  it('is closed when something else than hello comes first', async () => {
    const world = await BrokerWorld.create();
    const socket = await world.connect();
    socket.say({ type: 'credits', add: 1 });
    expect((await socket.next('error')).error.code).toBe('handshake_required');
    expect((await socket.closed).code).toBe(4400);
  });

  it('is closed when another version of the protocol is spoken', async () => {
    const world = await BrokerWorld.create();
    const socket = await world.connect();
    socket.sayText(JSON.stringify({ ...helloFrame(), protocol: 2 }));
    expect((await socket.next('error')).error.code).toBe('upgrade_required');
    expect((await socket.closed).code).toBe(4400);
  });

  it('stays open after a frame that is refused', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker();
    for (const [text, code] of [
      ['no json', 'invalid_frame'],
      ['{"type":"dance"}', 'unknown_message'],
      ['{"type":"credits","add":-1}', 'invalid_frame'],
    ]) {
      worker.sayText(text!);
      expect((await worker.next('error')).error.code).toBe(code);
    }
    worker.say({ type: 'credits', add: 1 });
    const id = await world.submitOne();
    expect(await worker.task()).toMatchObject({ task_id: id });
  });

  it('hears what one commit says to it in one message, if it can read that, also after the object was unmade', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1, batches: true });
    const messages: unknown[] = [];
    worker.socket.addEventListener('message', ({ data }) => {
      messages.push(JSON.parse(data as string));
    });
    const report = async (id: TaskId): Promise<void> => {
      const outcome = { task_id: id, attempt: 1, outcome: success(), runtime_ms: 1 };
      worker.say({ type: 'outcomes', items: [outcome], credits: 1 });
      await expect.poll(() => messages.length).toBeGreaterThan(0);
    };
    const [first, second, third] = await world.submit(world.task(), world.task(), world.task());
    await worker.task();
    messages.length = 0;
    await report(first!);
    expect(messages).toMatchObject([[{ type: 'ack' }, { type: 'tasks', items: [{ task_id: second }] }]]);
    await world.hibernate();
    messages.length = 0;
    await report(second!);
    expect(messages).toMatchObject([[{ type: 'ack' }, { type: 'tasks', items: [{ task_id: third }] }]]);
  });

  it('is closed when it bears another’s name', async () => {
    const world = await BrokerWorld.create();
    await world.worker();
    const thief = await world.connect('/v1/worker', bob);
    thief.say(helloFrame());
    expect((await thief.next('error')).error.code).toBe('forbidden');
    expect((await thief.closed).code).toBe(4403);
  });

  it('answers with the subprotocol alone, when it was offered', async () => {
    const world = await BrokerWorld.create();
    const headers = { upgrade: 'websocket', [principalHeader]: JSON.stringify(alice) };
    const url = 'https://edge/v1/worker';
    const offered = await world.stub.fetch(url, { headers: { ...headers, 'sec-websocket-protocol': 'tabgrid.v1' } });
    expect(offered.headers.get('sec-websocket-protocol')).toBe('tabgrid.v1');
    const plain = await world.stub.fetch(url, { headers });
    expect(plain.headers.get('sec-websocket-protocol')).toBeNull();
  });

  it('is not opened without a bearer, without an upgrade, or elsewhere', async () => {
    const world = await BrokerWorld.create();
    const bearer = { [principalHeader]: JSON.stringify(alice) };
    const upgrade = { upgrade: 'websocket' };
    const status = async (path: string, headers: Record<string, string>) =>
      (await world.stub.fetch(`https://edge${path}`, { headers })).status;
    expect(await status('/v1/worker', upgrade)).toBe(401);
    expect(await status('/v1/worker', bearer)).toBe(426);
    expect(await status('/v1/elsewhere', { ...bearer, ...upgrade })).toBe(404);
  });

  it('of a worker that is not heard of gets no tasks until it is', async () => {
    const world = await BrokerWorld.create();
    const frozen = await world.worker({ credits: 1 });
    await world.advance(31_000);
    const id = await world.submitOne();
    expect(await world.state(id)).toBe('PENDING');
    expect((await ok(world.api.workers(alice)))[0]).toMatchObject({ state: 'offline' });
    frozen.say({ type: 'credits', add: 1 });
    expect(await frozen.task()).toMatchObject({ task_id: id });
  });

  it('may say hello again, with other queues', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1 });
    const id = await world.submitOne({ queue: 'other' });
    worker.say(helloFrame({ queues: ['other'], credits: 1 }));
    await worker.next('welcome');
    expect(await worker.task()).toMatchObject({ task_id: id });
  });
});

describe('a worker that reports nonsense', () => {
  it('speaks for one worker on one socket', async () => {
    const world = await BrokerWorld.create();
    const socket = await world.worker({ worker_id: 'first' as WorkerId });
    socket.say(helloFrame({ worker_id: 'second' as WorkerId, credits: 1 }));
    expect((await socket.next('error')).error.code).toBe('conflict');
    const workers = await ok(world.api.workers(alice));
    expect(workers.map((worker) => worker.worker_id)).not.toContain('second');
  });

  it('fails the task whose result is nested too deeply, and the task stays readable', async () => {
    const world = await BrokerWorld.create();
    const id = await world.submitOne();
    const socket = await world.worker({ credits: 1 });
    await socket.next('tasks');
    let result: Json = [];
    for (let depth = 0; depth < 4000; depth++) result = [result];
    const item = { task_id: id, attempt: 1, outcome: { type: 'success' as const, result }, runtime_ms: 1e308 };
    socket.say({ type: 'outcomes', items: [item], credits: 0 });
    expect(await socket.ack()).toEqual([{ task_id: id, attempt: 1, status: 'recorded' }]);
    const view = await world.get(id);
    expect(view).toMatchObject({ state: 'FAILURE', error: { type: 'invalid_input' } });
    const [worker] = await ok(world.api.workers(alice));
    expect(worker?.busy_seconds).toBeLessThan(1);
  });
});

describe('remote control', () => {
  it('asks a worker and passes on its reply', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker();
    const other = await world.worker({ worker_id: 'w2' as WorkerId });
    const asked = ok(world.api.control('w1' as WorkerId, 'grow', { n: 2 }));
    const { request_id, command, arguments: given } = await worker.next('control');
    expect({ command, given }).toEqual({ command: 'grow', given: { n: 2 } });
    other.say({ type: 'control_reply', request_id, reply: { ok: 'forged' } });
    await other.settled();
    worker.say({ type: 'control_reply', request_id, reply: { ok: { concurrency: 3 } } });
    expect(await asked).toEqual({ concurrency: 3 });
  });

  it('tells when the worker cannot, does not, or is not there', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker();
    const refused = codeOf(world.api.control('w1' as WorkerId, 'shrink', {}));
    const { request_id } = await worker.next('control');
    worker.say({ type: 'control_reply', request_id, reply: { error: 'one thread is left' } });
    expect(await refused).toBe('conflict');
    const silent = codeOf(world.api.control('w1' as WorkerId, 'ping', {}));
    await worker.next('control');
    await world.inside(() => world.clock.advance(10_000));
    expect(await silent).toBe('unavailable');
    expect(await codeOf(world.api.control('nobody' as WorkerId, 'ping', {}))).toBe('not_found');
  });
});

describe('a worker’s reply that is', () => {
  it.each([
    [
      'nested without end',
      `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      'the reply is nested more than 64 levels deep',
    ],
    ['longer than anybody reads', JSON.stringify('x'.repeat(65_536)), 'the reply has more than 65536 bytes'],
  ])('%s keeps nobody else’s from arriving', async (_, reply, error) => {
    const world = await BrokerWorld.create();
    const [hostile, other] = [await world.worker(), await world.worker({ worker_id: 'w2' as WorkerId })];
    const asked = world.api.controlMany(['w1', 'w2'] as WorkerId[], 'ping', {}, 1000);
    const { request_id: first } = await hostile.next('control');
    hostile.sayText(`{"type":"control_reply","request_id":"${first}","reply":{"ok":${reply}}}`);
    const { request_id: second } = await other.next('control');
    other.say({ type: 'control_reply', request_id: second, reply: { ok: 'pong' } });
    const { replies } = await ok(asked);
    expect(replies.sort((a, b) => (a.worker_id < b.worker_id ? -1 : 1))).toMatchObject([
      { worker_id: 'w1', error },
      { worker_id: 'w2', reply: 'pong' },
    ]);
  });
});

describe('rows', () => {
  it('written in the whole life of a task are few, alone and in batches', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 1000 });
    const written = () => world.inside((broker) => broker.broking.core.database.rowsWritten);
    const finish = (items: { task_id: never; attempt: number }[]) => {
      worker.say({
        type: 'outcomes',
        items: items.map(({ task_id, attempt }) => ({ task_id, attempt, outcome: success(0), runtime_ms: 1 })),
        credits: items.length,
      });
      return worker.ack();
    };
    const count = 50;
    const start = await written();
    for (let n = 0; n < count; n++) {
      await world.submitOne();
      await finish([(await worker.task()) as never]);
    }
    const afterSingles = await written();
    await world.submit(...Array.from({ length: 100 }, () => world.task()));
    await finish((await worker.next('tasks')).items as never);
    const afterBatch = await written();
    await world.advance(26 * 3_600_000);
    const perDeletion = ((await written()) - afterBatch) / (count + 100);
    const perSingle = (afterSingles - start) / count + perDeletion;
    const perBatched = (afterBatch - afterSingles) / 100 + perDeletion;
    expect(await world.rows('SELECT id FROM tasks')).toEqual([]);
    expect(perSingle).toBeLessThan(6.3);
    expect(perBatched).toBeLessThan(3.3);
  });
});

describe('a worker that shares its slots among shards', () => {
  it('gets exactly the credits back that are left, and is told once when tasks wait that it has none for', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.connect();
    worker.say(helloFrame({ credits: 3 }));
    expect(await worker.next('welcome')).toMatchObject({ shards: 1 });
    await world.submitOne();
    await worker.task();
    worker.say({ type: 'withdraw', count: 5 });
    expect(await worker.next('withdrawn')).toEqual({ type: 'withdrawn', count: 2 });

    await world.submitOne();
    await worker.next('waiting');
    await world.submitOne();
    await worker.settled();
    expect(worker.drain()).toEqual([]);
    worker.say({ type: 'credits', add: 1 });
    await worker.task();
    await worker.next('waiting');
    worker.say({ type: 'credits', add: 3 });
    await worker.task();
    await worker.settled();
    expect(worker.drain()).toEqual([]);

    // What no worker of this kind could take is nothing to tell.
    worker.say({ type: 'withdraw', count: 9 });
    expect(await worker.next('withdrawn')).toEqual({ type: 'withdrawn', count: 2 });
    await world.submitOne({ queue: 'gpu_training' });
    await worker.settled();
    expect(worker.drain()).toEqual([]);
    await world.submitOne();
    await worker.next('waiting');
  });

  it('is told of nothing unless it wants to be', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker();
    await world.submitOne();
    await worker.settled();
    expect(worker.drain()).toEqual([]);
  });
});
