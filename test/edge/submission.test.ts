import { describe, expect, it } from 'vitest';
import { framesOf, type SubmissionFrame, type SubmitterFrame, type TaskId, type WorkerId } from '#protocol';
import type { LeaseRequest } from '../../edge/broker/rpc.ts';
import { alice, bob, BrokerWorld, digestA, helloFrame, ok, success } from './helpers/broker.ts';

type FrameOf<Type extends SubmissionFrame['type']> = Extract<SubmissionFrame, { type: Type }>;

/** A submitter’s end of its socket. */
class Submitter {
  readonly #socket: WebSocket;
  readonly #unread: SubmissionFrame[] = [];
  readonly #messages: SubmissionFrame[][] = [];
  #wake: () => void = () => undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const frames = framesOf(JSON.parse(data as string)) as SubmissionFrame[];
      if (frames[0]?.type !== 'welcome') this.#messages.push(frames);
      this.#unread.push(...frames);
      this.#wake();
    });
  }

  static async connect(world: BrokerWorld, who = alice): Promise<Submitter> {
    const socket = await world.connect('/v1/submit', who);
    const submitter = new Submitter(socket.socket);
    // The welcome was said before anybody listened here.
    socket.drain();
    return submitter;
  }

  say(frame: SubmitterFrame | string): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The frames of the next message after the welcome that was not asked for yet. */
  async message(): Promise<SubmissionFrame[]> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async next<Type extends SubmissionFrame['type']>(type: Type): Promise<FrameOf<Type>> {
    for (;;) {
      const index = this.#unread.findIndex((frame) => frame.type === type);
      if (index >= 0) return this.#unread.splice(index, 1)[0] as FrameOf<Type>;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const evaluation = {
  task: 'evaluate_candidates',
  kwargs: { candidates: [[1, 2]], evaluator: { kind: 'named', name: 'sim' } },
};
const claim: LeaseRequest = {
  worker_id: 'http' as WorkerId,
  queues: ['default'],
  count: 100,
  capabilities: helloFrame().capabilities,
  kernel_digest: digestA,
};

async function finish(world: BrokerWorld, id: TaskId, result: unknown): Promise<void> {
  await ok(world.api.lease(alice, claim));
  await ok(world.api.result(alice, id, { attempt: 1, result: result as never }));
}

describe('a submitter on its socket', () => {
  it('is answered when its tasks are durable, and hears how they end', async () => {
    const world = await BrokerWorld.create();
    const submitter = await Submitter.connect(world);
    submitter.say({ type: 'submit', request_id: 'r1', tasks: [evaluation, { ...evaluation, priority: 7 }] });
    const { request_id: request, tasks } = await submitter.next('submitted');
    expect(request).toBe('r1');
    expect(tasks.map(({ state }) => state)).toEqual(['PENDING', 'PENDING']);
    expect(await world.get(tasks[1]!.task_id)).toMatchObject({ priority: 7, owner: 'alice' });
    await finish(world, tasks[0]!.task_id, { values: [1] });
    expect((await submitter.next('results')).items).toEqual([
      { task_id: tasks[0]!.task_id, state: 'SUCCESS', result: { values: [1] }, error: null },
    ]);
    await ok(world.api.revoke(alice, tasks[1]!.task_id, true));
    expect((await submitter.next('results')).items).toMatchObject([
      { task_id: tasks[1]!.task_id, state: 'REVOKED', result: null, error: { type: 'revoked' } },
    ]);
  });

  it('gets a task of its own for each of equal signatures', async () => {
    const world = await BrokerWorld.create();
    const submitter = await Submitter.connect(world);
    submitter.say({ type: 'submit', request_id: 'r1', key: 'k1', tasks: [evaluation, evaluation, evaluation] });
    const { tasks } = await submitter.next('submitted');
    const ids = tasks.map(({ task_id: id }) => id);
    expect(ids).toEqual([...new Set(ids)].sort());
    for (const id of ids) expect(await world.get(id)).toMatchObject({ state: 'PENDING' });
  });

  it('gets the same answer for the same key, a refusal for another body, and the place of each fault', async () => {
    const world = await BrokerWorld.create();
    const submitter = await Submitter.connect(world);
    submitter.say({ type: 'submit', request_id: 'a', key: 'k', tasks: [evaluation] });
    const first = await submitter.next('submitted');
    submitter.say({ type: 'submit', request_id: 'b', key: 'k', tasks: [evaluation] });
    expect((await submitter.next('submitted')).tasks).toEqual(first.tasks);
    submitter.say({ type: 'submit', request_id: 'c', key: 'k', tasks: [{ task: 'ping' }] });
    expect(await submitter.next('refused')).toMatchObject({ request_id: 'c', error: { code: 'idempotency_conflict' } });
    submitter.say({ type: 'submit', request_id: 'd', tasks: [evaluation, { task: 'ping', kwargs: { x: 1 } }] });
    expect(await submitter.next('refused')).toMatchObject({
      request_id: 'd',
      error: { code: 'invalid_arguments', details: { faults: [{ path: '1.kwargs.x' }] } },
    });
    for (const [tasks, path] of [
      [[{ ...evaluation, priority: 77 }], 'priority'],
      [[evaluation, { ...evaluation, priority: 77 }], '1.priority'],
      [[], 'tasks'],
    ] as const) {
      submitter.say(JSON.stringify({ type: 'submit', request_id: 'e', tasks }));
      expect(await submitter.next('refused')).toMatchObject({
        request_id: 'e',
        error: { code: 'invalid_request', details: { faults: [{ path }] } },
      });
    }
    submitter.say({ type: 'submit', request_id: 'f', tasks: [{ task: 'pnig' }] });
    expect((await submitter.next('refused')).error.message).toBe('no task type is called "pnig"');
    for (const rubbish of ['{', 'null', '{"type":"submit"}', '{"type":"watch","task_ids":["x"]}']) {
      submitter.say(rubbish);
      expect(await submitter.next('error')).toMatchObject({ error: { code: 'invalid_frame' } });
    }
    expect(await world.rows('SELECT count(*) AS tasks FROM tasks')).toEqual([{ tasks: 1 }]);
  });

  it('may say several things in one message, and is answered in one', async () => {
    const world = await BrokerWorld.create();
    const submitter = await Submitter.connect(world);
    const frame = (request: string, key: string): object => ({
      type: 'submit',
      request_id: request,
      key,
      tasks: [evaluation],
    });
    const others = [frame('b', 'other'), { ...frame('c', 'k'), tasks: [{ task: 'ping' }] }];
    submitter.say(JSON.stringify([frame('a', 'k'), { type: 'submit' }, frame('again', 'k'), ...others]));
    const [error, ...answers] = await submitter.message();
    expect(error).toMatchObject({ type: 'error', error: { code: 'invalid_frame' } });
    const more = answers.length > 0 ? answers : await submitter.message();
    const [first, again, other, conflict] = more as FrameOf<'submitted'>[];
    expect(more.map((one) => (one as FrameOf<'submitted'>).request_id)).toEqual(['a', 'again', 'b', 'c']);
    expect(again!.tasks).toEqual(first!.tasks);
    expect(other!.tasks).not.toEqual(first!.tasks);
    expect(conflict).toMatchObject({ type: 'refused', error: { code: 'idempotency_conflict' } });
    expect(await world.rows('SELECT count(*) AS tasks FROM tasks')).toEqual([{ tasks: 2 }]);
  });

  it('is told at once, when it repeats what was answered to nobody, which of it is over', async () => {
    const world = await BrokerWorld.create();
    const both = [evaluation, { ...evaluation, countdown: 3600 }];
    const submission: SubmitterFrame = { type: 'submit', request_id: 'r1', key: 'k1', tasks: both };
    const [lost, again] = [await Submitter.connect(world), await Submitter.connect(world)];
    lost.say(submission);
    const { tasks } = await lost.next('submitted');
    const [over, open] = tasks.map(({ task_id: id }) => id);
    await finish(world, over!, { values: [1] });
    again.say(submission);
    expect(await again.next('submitted')).toMatchObject({ tasks, watched: true });
    expect((await again.next('results')).items).toMatchObject([{ task_id: over, result: { values: [1] } }]);
    await ok(world.api.revoke(alice, open!, true));
    expect((await again.next('results')).items).toMatchObject([{ task_id: open, state: 'REVOKED' }]);
  });

  it('is refused what has no room, by name', async () => {
    const world = await BrokerWorld.create();
    await ok(world.api.patchQueue('default', { max_length: 1 }));
    const submitter = await Submitter.connect(world);
    submitter.say({ type: 'submit', request_id: 'a', tasks: [evaluation, evaluation] });
    expect(await submitter.next('refused')).toMatchObject({ error: { code: 'queue_full', retry_after: 5 } });
  });

  it('is refused what is nested too deeply, before it is parsed', async () => {
    const world = await BrokerWorld.create();
    const submitter = await Submitter.connect(world);
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    submitter.say(`{"type":"submit","request_id":"a","tasks":[{"task":"ping","kwargs":{"x":${deep}}}]}`);
    expect(await submitter.next('error')).toEqual({
      type: 'error',
      error: { code: 'invalid_frame', message: 'frame: expected at most 64 levels of nesting' },
    });
  });

  it('is no worker, whatever it says and whenever', async () => {
    const world = await BrokerWorld.create();
    await Submitter.connect(world);
    await world.connect('/v1/events');
    await world.connect('/v1/worker');
    const mayGreet = (tag: string) =>
      world.inside(({ broking: { sessions } }, state) =>
        state.getWebSockets(tag).map((socket) => sessions.principalOf(socket) !== undefined),
      );
    expect([await mayGreet('submitter'), await mayGreet('events'), await mayGreet('worker')]).toEqual([
      [false],
      [false],
      [true],
    ]);
  });

  it('may watch what it has submitted before, and nothing of others', async () => {
    const world = await BrokerWorld.create();
    const [ended, open] = await world.submit(world.task({ priority: 9 }), world.task());
    await ok(world.api.lease(alice, { ...claim, count: 1 }));
    await ok(world.api.result(alice, ended!, { attempt: 1, result: 7 }));
    const submitter = await Submitter.connect(world);
    const stranger = await Submitter.connect(world, bob);
    submitter.say({ type: 'watch', task_ids: [ended!, open!] });
    expect(await submitter.next('results')).toMatchObject({ items: [{ task_id: ended, result: 7 }] });
    stranger.say({ type: 'watch', task_ids: [ended!, open!] });
    expect(await stranger.next('results')).toEqual({ type: 'results', items: [], unknown: [ended, open] });
    await finish(world, open!, 8);
    expect((await submitter.next('results')).items).toMatchObject([{ task_id: open, result: 8 }]);
  });

  it('is asked what it watches when the object has forgotten it', async () => {
    const world = await BrokerWorld.create();
    const submitter = await Submitter.connect(world);
    submitter.say({ type: 'submit', request_id: 'a', tasks: [evaluation] });
    const { tasks } = await submitter.next('submitted');
    const id = tasks[0]!.task_id;
    await world.hibernate();
    await submitter.next('welcome');
    submitter.say({ type: 'watch', task_ids: [id] });
    submitter.say({ type: 'submit', request_id: 'b', tasks: [evaluation] });
    await submitter.next('submitted');
    await finish(world, id, 1);
    expect((await submitter.next('results')).items).toMatchObject([{ task_id: id, result: 1 }]);
  });

  it('that is greedy lets workers through: what they say comes along with each commit', async () => {
    const world = await BrokerWorld.create();
    const submitter = await Submitter.connect(world);
    const worker = await world.worker({ credits: 1 });
    const many = Array.from({ length: 1000 }, () => evaluation);
    for (let n = 0; n < 6; n++) submitter.say({ type: 'submit', request_id: `r${n}`, tasks: many });
    const task = await worker.task();
    const outcome = { task_id: task.task_id, attempt: 1, outcome: success(), runtime_ms: 1 };
    worker.say({ type: 'outcomes', items: [outcome], credits: 0 });
    expect(await worker.ack()).toMatchObject([{ status: 'recorded' }]);
    for (let n = 0; n < 6; n++) await submitter.next('submitted');
    expect(await world.rows('SELECT count(*) AS tasks FROM tasks')).toEqual([{ tasks: 6000 }]);
  });

  it('that does not wait for its answers is refused by name', async () => {
    const world = await BrokerWorld.create();
    const submitter = await Submitter.connect(world);
    await world.inside(({ broking }, state) => {
      for (const socket of state.getWebSockets('submitter')) broking.core.submitters.of(socket)!.unanswered = 10_000;
    });
    submitter.say({ type: 'submit', request_id: 'over', tasks: [evaluation] });
    expect(await submitter.next('refused')).toMatchObject({
      request_id: 'over',
      error: { code: 'rate_limited', retry_after: 1 },
    });
  });
});
