import { describe, expect, it } from 'vitest';
import { framesOf, limits, type SubmissionFrame, type SubmitterFrame, type TaskId } from '#protocol';
import { FakeSocket, json, setup } from './fakes.ts';

const id = (n: number): TaskId => `0-01k9zzzzzz000000000000000${n}` as TaskId;

/** Lets promises that follow from what has happened be settled. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function over(socket = FakeSocket.opened.at(-1)!) {
  const hear = (frame: SubmissionFrame) => socket.emit('message', JSON.stringify(frame));
  return {
    hear,
    welcome: (shards = 1) => hear({ type: 'welcome', shards }),
    /** Once all is said that follows from what has happened. */
    said: async () => {
      await Promise.resolve();
      return socket.sent.flatMap((text) => framesOf(JSON.parse(text)) as SubmitterFrame[]);
    },
    messages: () => socket.sent.length,
    submitted: (request: number, ...ids: TaskId[]) =>
      hear({
        type: 'submitted',
        request_id: String(request),
        tasks: ids.map((task_id) => ({ task_id, state: 'PENDING', queue: 'default' })),
        watched: true,
      }),
    ended: (task_id: TaskId, result: unknown) =>
      hear({ type: 'results', items: [{ task_id, state: 'SUCCESS', result: result as never, error: null }] }),
  };
}

describe('submitting over a socket', () => {
  it('opens one for all, says nothing before it is welcome, and takes results as they are told', async () => {
    const { grid, edge } = setup({ submitOver: 'socket' });
    const [one, other] = [grid.submit('ping', {}), grid.submit('ping', {})];
    const socket = over();
    expect(FakeSocket.opened).toHaveLength(1);
    expect(FakeSocket.opened[0]!.url.href).toBe('ws://edge.test/v1/submit');
    expect(await socket.said()).toEqual([]);
    socket.welcome();
    expect(await socket.said()).toMatchObject([
      { type: 'submit', request_id: '1', tasks: [{ task: 'ping' }] },
      { type: 'submit', request_id: '2' },
    ]);
    expect(socket.messages()).toBe(1);
    socket.submitted(2, id(2));
    socket.submitted(1, id(1));
    expect((await one).id).toBe(id(1));
    const results = [(await one).get(), (await other).get()];
    socket.ended(id(1), { status: 'pong', worker: 'w' });
    socket.ended(id(2), { status: 'pong', worker: 'v' });
    expect(await Promise.all(results)).toMatchObject([{ worker: 'w' }, { worker: 'v' }]);
    expect(edge.seen).toEqual([]);
  });

  it('says again under the same key what was not answered, and watches again what somebody waits for', async () => {
    const { grid } = setup({ submitOver: 'socket' });
    const first = grid.submit('ping', {});
    const before = over();
    before.welcome();
    before.submitted(1, id(1));
    const result = (await first).get();
    const second = grid.submit('ping', {});
    const [said] = (await before.said()).slice(1);
    FakeSocket.opened[0]!.emit('close');
    await settle();
    const after = over();
    expect(FakeSocket.opened).toHaveLength(2);
    after.welcome();
    expect(await after.said()).toEqual([said, { type: 'watch', task_ids: [id(1)] }]);
    after.ended(id(1), { status: 'pong', worker: 'w' });
    after.submitted(2, id(2));
    expect(await result).toMatchObject({ worker: 'w' });
    expect((await second).id).toBe(id(2));
  });

  it('leaves a connection that gives no sign of life, and says on another one what was not answered', async () => {
    const { grid, clock } = setup({ submitOver: 'socket' });
    const submitted = grid.submit('ping', {});
    over().welcome();
    const [silent] = FakeSocket.opened;
    await clock.passHeartbeat();
    silent!.emit('message', 'pong');
    await clock.passHeartbeat();
    expect(silent!.sent.slice(1)).toEqual(['ping', 'ping']);
    await clock.passHeartbeat();
    await settle();
    expect(FakeSocket.opened).toHaveLength(2);
    over().welcome();
    expect(await over().said()).toMatchObject([{ type: 'submit', request_id: '1' }]);
    over().submitted(1, id(1));
    expect((await submitted).id).toBe(id(1));
  });

  it('watches again when the edge has forgotten, and nothing is submitted twice', async () => {
    const { grid } = setup({ submitOver: 'socket' });
    const submitted = grid.submit('ping', {});
    const socket = over();
    socket.welcome();
    socket.submitted(1, id(1));
    const result = (await submitted).get();
    socket.welcome();
    expect((await socket.said()).map(({ type }) => type)).toEqual(['submit', 'watch']);
    socket.ended(id(1), { status: 'pong', worker: 'w' });
    expect(await result).toMatchObject({ worker: 'w' });
  });

  it('hears several things in one message', async () => {
    const { grid } = setup({ submitOver: 'socket' });
    const submitted = grid.submit('ping', {});
    const socket = over();
    socket.welcome();
    const tasks = [{ task_id: id(1), state: 'PENDING', queue: 'default' }];
    const items = [{ task_id: id(1), state: 'SUCCESS', result: { status: 'pong', worker: 'w' }, error: null }];
    const frames = [
      { type: 'submitted', request_id: '1', tasks, watched: true },
      { type: 'results', items },
    ];
    FakeSocket.opened[0]!.emit('message', JSON.stringify(frames));
    expect(await (await submitted).get()).toMatchObject({ worker: 'w' });
  });

  it('refuses by itself what is too large to be read, and nothing else with it', async () => {
    const { grid } = setup({ submitOver: 'socket' });
    const fits = grid.submit('ping', {});
    const large = grid.submitSignature({ task: 'x', kwargs: { text: 'x'.repeat(limits.maxJsonBodyBytes) } });
    const socket = over();
    socket.welcome();
    await expect(large).rejects.toMatchObject({ code: 'body_too_large' });
    expect(await socket.said()).toMatchObject([{ type: 'submit', request_id: '1' }]);
    socket.submitted(1, id(1));
    expect((await fits).id).toBe(id(1));
  });

  it('passes refusals on, with the place of each fault', async () => {
    const { grid } = setup({ submitOver: 'socket' });
    const refused = grid.submit('ping', {});
    const socket = over();
    socket.welcome();
    const details = { faults: [{ path: '0.kwargs.x', message: 'unknown key' }] };
    socket.hear({ type: 'refused', request_id: '1', error: { code: 'invalid_arguments', message: 'no', details } });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_arguments', details });
  });

  it.each(['no socket can be opened', 'there are several shards'])('goes over HTTP where %s', async (why) => {
    const { grid, edge } = setup({ submitOver: 'socket' });
    edge.answers(
      json({ task_id: id(1), state: 'PENDING', queue: 'default' }, 202),
      json({ task_id: id(1), state: 'SUCCESS', result: { status: 'pong', worker: 'w' } }),
    );
    const submitted = grid.submit('ping', {});
    if (why === 'there are several shards') over().welcome(3);
    else FakeSocket.opened[0]!.emit('error');
    expect((await submitted).id).toBe(id(1));
    expect(await (await submitted).get()).toMatchObject({ worker: 'w' });
    expect(FakeSocket.opened).toHaveLength(1);
  });

  it('closes a socket that nobody needs, and opens another one when it is needed', async () => {
    const { grid } = setup({ submitOver: 'socket' });
    const submitted = grid.submit('ping', {});
    const socket = over();
    socket.welcome();
    socket.submitted(1, id(1));
    const result = await submitted;
    await settle();
    expect(FakeSocket.opened[0]!.closed).toBe(true);
    const value = result.get();
    const again = over();
    expect(FakeSocket.opened).toHaveLength(2);
    again.welcome();
    expect(await again.said()).toEqual([{ type: 'watch', task_ids: [id(1)] }]);
    again.ended(id(1), { status: 'pong', worker: 'w' });
    expect(await value).toMatchObject({ worker: 'w' });
  });
});
