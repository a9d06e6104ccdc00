import { describe, expect, it } from 'vitest';
import type { TaskView, WorkerAnswers, WorkerId } from '#protocol';
import { ask, faultPaths, refusal, testEnv, tokenFor } from './helpers/api.ts';
import { brokerShard, principalHeader } from '../../edge/broker/rpc.ts';
import { alice, bob, BrokerWorld, helloFrame, ok, TestSocket } from './helpers/broker.ts';

const w = (id: string) => id as WorkerId;

describe('a question to many workers', () => {
  it('gathers their answers, and names those that are silent, refuse or have left', async () => {
    const world = await BrokerWorld.create();
    const [a, b] = [await world.worker({ worker_id: w('a') }), await world.worker({ worker_id: w('b') })];
    await world.worker({ worker_id: w('c') });
    const asked = ok(world.api.controlMany(['a', 'b', 'c', 'gone'].map(w), 'grow', { n: 2 }, 3_000));
    const question = await a.next('control');
    expect(question).toMatchObject({ command: 'grow', arguments: { n: 2 } });
    a.say({ type: 'control_reply', request_id: question.request_id, reply: { ok: { concurrency: 3 } } });
    const { request_id: id } = await b.next('control');
    b.say({ type: 'control_reply', request_id: id, reply: { error: 'n: too many' } });
    await Promise.all([a.settled(), b.settled()]);
    await world.inside(() => world.clock.advance(3_001));
    const { replies, silent } = await asked;
    expect(replies).toEqual([
      { worker_id: 'a', name: 'w1@test', reply: { concurrency: 3 } },
      { worker_id: 'b', name: 'w1@test', error: 'n: too many' },
    ]);
    expect(silent.sort()).toEqual(['c', 'gone']);
    expect((await ok(world.api.connected())).map(({ worker_id: one }) => one)).toEqual(['a', 'b', 'c']);
  });
});

describe('what the broker knows of tasks', () => {
  it('is who computes, who holds, what waits for its time, what was revoked; of one’s own', async () => {
    const world = await BrokerWorld.create();
    const worker = await world.worker({ credits: 2 });
    const [runs, held, waits] = await world.submit(world.task(), world.task(), world.task());
    worker.say({ type: 'started', items: [{ task_id: runs!, attempt: 1 }] });
    await worker.settled();
    const [late, soon] = [await world.submitOne({ countdown: 60 }), await world.submitOne({ countdown: 30 })];
    await ok(world.api.revoke(alice, waits!, false));
    const ids = async (view: 'active' | 'reserved' | 'scheduled' | 'revoked', who = alice) =>
      (await ok(world.api.inspect(who, view))).map((task: TaskView) => task.task_id);
    expect(await ids('active')).toEqual([runs]);
    expect(await ids('reserved')).toEqual([held]);
    expect(await ids('scheduled')).toEqual([soon, late]);
    expect(await ids('revoked')).toEqual([waits]);
    expect(await ids('active', bob)).toEqual([]);
    expect(await ids('scheduled', bob)).toEqual([]);
  });
});

describe('inspect and control over HTTP', () => {
  const token = tokenFor(['read', 'submit'], { sub: 'alice' });
  const admin = tokenFor(['admin'], { sub: 'root' });

  async function join(id: string): Promise<TestSocket> {
    const headers = { upgrade: 'websocket', [principalHeader]: JSON.stringify(alice) };
    const response = await brokerShard(testEnv, 0).fetch('https://edge/v1/worker', { headers });
    const socket = new TestSocket(response.webSocket!);
    socket.say(helloFrame({ worker_id: w(id), name: `${id}@lab`, credits: 1, queues: [id] }));
    await socket.next('welcome');
    return socket;
  }

  const answers = async (response: Promise<Response>) => (await response).json<WorkerAnswers & { unknown: string[] }>();

  it('reach workers by id, by name and by pattern, and say what nobody is called', async () => {
    const [left, right] = [await join('left'), await join('right')];
    const reply = async (socket: TestSocket, ok: string) => {
      const { request_id: id } = await socket.next('control');
      socket.say({ type: 'control_reply', request_id: id, reply: { ok } });
    };
    const pings = answers(ask('GET', '/v1/inspect/ping?timeout=30', { token }));
    await Promise.all([reply(left, 'pong'), reply(right, 'pong')]);
    expect(await pings).toEqual({
      replies: [
        { worker_id: 'left', name: 'left@lab', reply: 'pong' },
        { worker_id: 'right', name: 'right@lab', reply: 'pong' },
      ],
      silent: [],
      unknown: [],
    });
    const json = { workers: ['ri*@lab', 'nobody'], arguments: { task: 'ping', rate_limit: '1/s' } };
    const limited = answers(ask('POST', '/v1/control/rate_limit', { token: admin, json }));
    await reply(right, 'done');
    expect(await limited).toMatchObject({ replies: [{ worker_id: 'right' }], silent: [], unknown: ['nobody'] });
    const registered = await answers(ask('GET', '/v1/inspect/registered?worker=left', { token }));
    expect(registered.replies).toMatchObject([
      { worker_id: 'left', reply: expect.arrayContaining(['train_surrogate']) as string[] },
    ]);
    const queues = await answers(ask('GET', '/v1/inspect/active_queues?worker=left,right@lab', { token }));
    expect(queues.replies).toMatchObject([{ reply: ['left'] }, { reply: ['right'] }]);
    const kwargs = { candidates: [[1]], evaluator: { kind: 'named', name: 'sim' } };
    const task = { task: 'evaluate_candidates', kwargs, queue: 'left' };
    const { task_id: id } = await (await ask('POST', '/v1/tasks', { token, json: task })).json<{ task_id: string }>();
    await left.task();
    const reserved = await answers(ask('GET', '/v1/inspect/reserved?worker=l*', { token }));
    expect(reserved.replies).toMatchObject([{ worker_id: 'left', reply: [{ task_id: id, state: 'RECEIVED' }] }]);
    const missing = id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const queried = await answers(ask('GET', `/v1/inspect/query_task?ids=${id},${missing}`, { token }));
    expect(queried.replies).toMatchObject([{ worker_id: null, reply: [{ task_id: id, worker: 'left' }] }]);
  });

  it('say what does not fit', async () => {
    expect(await faultPaths(await ask('GET', '/v1/inspect/scheduled?worker=x', { token }))).toEqual(['worker']);
    expect(await faultPaths(await ask('GET', '/v1/inspect/query_task', { token }))).toEqual(['ids']);
    expect(await faultPaths(await ask('POST', '/v1/control/grow', { token: admin, json: { n: 2 } }))).toEqual(['n']);
    expect(await refusal(await ask('GET', '/v1/inspect/nothing', { token }))).toMatchObject({ status: 404 });
    expect(await refusal(await ask('POST', '/v1/control/dance', { token: admin }))).toMatchObject({ status: 404 });
  });
});
