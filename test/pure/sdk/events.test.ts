import { describe, expect, it } from 'vitest';
import type { GridEvent } from '#protocol';
import { FakeSocket, json, refusal, setup } from './fakes.ts';

function event(seq: number, more: Partial<GridEvent> = {}): string {
  return JSON.stringify({ seq, type: 'task-progress', time: '2030-01-01T00:00:00.000Z', ...more });
}

/** The socket that the stream opens next. */
async function socketNumber(number: number): Promise<FakeSocket> {
  for (;;) {
    const socket = FakeSocket.opened[number];
    if (socket !== undefined) return socket;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('events', () => {
  it('asks for what is wanted, with the token as a subprotocol and never in the address', async () => {
    const { grid } = setup();
    const events = grid.events({ taskId: '0-x', types: ['task-sent', 'task-failed'] });
    const socket = await socketNumber(0);
    expect(socket.url.href).toBe('ws://edge.test/v1/events?task_id=0-x&types=task-sent%2Ctask-failed&position=true');
    expect(socket.protocols).toEqual(['tabgrid.v1', 'bearer.token-1']);
    events.close();
  });

  it('resumes after the last event that it saw, and tells none twice', async () => {
    const { grid } = setup();
    const seen: number[] = [];
    const events = grid.events();
    const loop = (async () => {
      for await (const { seq } of events) {
        seen.push(seq);
        if (seq === 4) break;
      }
    })();
    const first = await socketNumber(0);
    first.emit('open');
    first.emit('message', event(1));
    first.emit('message', event(2));
    first.emit('close');
    const second = await socketNumber(1);
    expect(second.url.searchParams.get('after')).toBe('2');
    second.emit('open');
    second.emit('message', event(2));
    second.emit('message', event(3));
    second.emit('message', event(4));
    await loop;
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(second.closed).toBe(true);
  });

  it('resumes from where it began when it has heard none', async () => {
    const { grid } = setup();
    const events = grid.events();
    const first = await socketNumber(0);
    first.emit('open');
    first.emit('message', JSON.stringify({ position: 7 }));
    first.emit('close');
    const second = await socketNumber(1);
    expect(second.url.searchParams.get('after')).toBe('7');
    second.emit('message', JSON.stringify({ position: 7 }));
    second.emit('message', event(8));
    expect((await events[Symbol.asyncIterator]().next()).value).toMatchObject({ seq: 8 });
    events.close();
  });

  it('lets go of a connection that was lost', async () => {
    const { grid } = setup();
    const events = grid.events();
    const first = await socketNumber(0);
    first.emit('close');
    const second = await socketNumber(1);
    events.close();
    expect([first.closed, second.closed]).toEqual([false, true]);
  });

  it('asks for signs of life, and leaves a connection that gives none', async () => {
    const { grid, clock } = setup();
    const events = grid.events();
    const first = await socketNumber(0);
    first.emit('open');
    await clock.passHeartbeat();
    first.emit('message', 'pong');
    await clock.passHeartbeat();
    expect(first.sent).toEqual(['ping', 'ping']);
    expect(FakeSocket.opened).toHaveLength(1);
    await clock.passHeartbeat();
    expect(first.closed).toBe(true);
    await socketNumber(1);
    events.close();
  });

  it('waits longer after each failure, as long as the edge does not refuse it', async () => {
    const { grid, edge, clock } = setup({ retries: 0 });
    edge.answers(new TypeError('fetch failed'), refusal('unavailable', 503), json({ tasks: [] }));
    const events = grid.events();
    for (let number = 0; number < 3; number++) (await socketNumber(number)).emit('error');
    await socketNumber(3);
    expect(clock.slept).toEqual([125, 250, 500]);
    events.close();
  });

  it.each([
    ['token_expired', 401],
    ['invalid_request', 422],
  ] as const)('ends with the reason when the token or the filter is refused: %s', async (code, status) => {
    const { grid, edge } = setup();
    edge.answers(refusal(code, status));
    const events = grid.events({ taskId: 'ping' });
    (await socketNumber(0)).emit('error');
    await expect(events.opened()).rejects.toMatchObject({ code });
    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code });
    expect(edge.seen.at(-1)?.url.href).toContain('/v1/events/history?task_id=ping&limit=0');
  });
});

describe('progress of a task', () => {
  it('tells each step and ends with the task', async () => {
    const { grid, edge } = setup();
    let finish = (): void => undefined;
    const finished = new Promise<Response>((resolve) => {
      finish = () => resolve(json({ task_id: '0-x', state: 'SUCCESS' }));
    });
    edge.answers(() => finished);
    const steps: unknown[] = [];
    const loop = (async () => {
      for await (const progress of grid.result('0-x').progress()) {
        steps.push(progress);
        if (steps.length === 2) finish();
      }
    })();
    const socket = await socketNumber(0);
    socket.emit('open');
    socket.emit('message', event(1, { data: { fraction: 0.5 } }));
    socket.emit('message', event(2, { data: { fraction: 1 } }));
    await loop;
    expect(steps).toEqual([{ fraction: 0.5 }, { fraction: 1 }]);
    expect(socket.url.searchParams.get('types')).toBe('task-progress');
    expect(socket.closed).toBe(true);
  });

  it('ends at once when the task was over before', async () => {
    const { grid, edge } = setup();
    edge.answers(json({ task_id: '0-x', state: 'SUCCESS' }));
    const loop = grid.result('0-x').progress().next();
    (await socketNumber(0)).emit('open');
    expect(await loop).toEqual({ done: true, value: undefined });
  });
});

describe('a watched campaign', () => {
  it('is shown now, after changes, and when it is over', async () => {
    const { grid, edge } = setup();
    const view = (evaluated: number, finished_at: string | null): Response =>
      json({ campaign_id: 'c-x', progress: { evaluated }, finished_at });
    edge.answers(view(1, null), view(2, null), view(3, '2030-01-01T00:00:00.000Z'));
    const shown: number[] = [];
    const loop = (async () => {
      for await (const campaign of grid.campaigns.get('c-x').watch()) {
        shown.push(campaign.progress.evaluated);
        FakeSocket.opened[0]!.emit('message', event(shown.length, { type: 'campaign-progress' }));
      }
    })();
    (await socketNumber(0)).emit('open');
    await loop;
    expect(shown).toEqual([1, 2, 3]);
  });

  it('is looked at again after a while though nothing was heard of it', async () => {
    const { grid, edge, clock } = setup();
    edge.answers(json({ finished_at: null }), json({ finished_at: '2030-01-01T00:00:00.000Z' }));
    const loop = (async () => {
      for await (const view of grid.campaigns.get('c-x').watch()) if (view.finished_at !== null) return 'over';
      return 'left';
    })();
    (await socketNumber(0)).emit('open');
    expect(await loop).toBe('over');
    expect(clock.slept).toEqual([10_000]);
  });
});
