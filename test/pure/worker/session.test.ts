import { describe, expect, it } from 'vitest';
import { TabgridError, type Assignment } from '#protocol';
import { assignment, digest, heartbeatMs, online, reconnect, refOf, setup, taskId, welcome } from './fakes.ts';

const snapshot = { kernel_digest: digest, data: 'AAAA' };

describe('a session that connects', () => {
  it('says hello first, with all its credits, and works after the welcome', () => {
    const { session, transport } = setup({ concurrency: 2, prefetch: 3 });
    session.start();
    expect(session.phase).toBe('connecting');
    transport.last.open();
    expect(session.phase).toBe('hello');
    expect(transport.last.frames).toMatchObject([
      { type: 'hello', protocol: 1, credits: 6, holding: [], concurrency: 2 },
    ]);
    transport.last.say(welcome());
    expect(session.phase).toBe('working');
  });

  it('tries again after a growing, random delay, and at most every 15 s', () => {
    const { session, transport, clock } = setup();
    session.start();
    const delaysMs: number[] = [];
    for (let n = 0; n < 10; n++) {
      const count = transport.connections.length;
      transport.last.drop();
      let waitedMs = 0;
      for (; transport.connections.length === count; waitedMs++) clock.advance(1);
      delaysMs.push(waitedMs);
    }
    expect(delaysMs).toEqual([125, 250, 500, 1000, 2000, 4000, 7500, 7500, 7500, 7500]);
  });

  it('tells once for each time that the edge cannot be reached or is lost', () => {
    const { session, transport, clock, events } = setup();
    const told = () => events.splice(0).flatMap((event) => (event.type === 'warning' ? [event.message] : []));
    session.start();
    for (let n = 0; n < 3; n++) {
      transport.last.drop();
      clock.advance(15_000);
    }
    expect(told()).toEqual(['The edge cannot be reached. It is tried again until it can.']);
    transport.last.open();
    transport.last.say(welcome());
    transport.last.sayText('pong');
    transport.last.drop();
    clock.advance(15_000);
    transport.last.drop();
    expect(told()).toEqual(['The edge has closed the connection, or it broke. It is made again as soon as it can be.']);
  });

  it('does not forget its back-off because an edge greets and hangs up', () => {
    const { session, transport, clock } = setup();
    session.start();
    for (let n = 0; n < 6; n++) {
      transport.last.open();
      transport.last.say(welcome());
      transport.last.drop();
      clock.advance(15_000);
    }
    const count = transport.connections.length;
    transport.last.drop();
    clock.advance(3_000);
    expect(transport.connections.length).toBe(count);
  });

  it('begins its back-off anew once a heartbeat was answered', () => {
    const { session, transport, clock } = setup();
    session.start();
    for (let n = 0; n < 6; n++) {
      transport.last.drop();
      clock.advance(15_000);
    }
    transport.last.open();
    transport.last.say(welcome());
    transport.last.sayText('pong');
    const count = transport.connections.length;
    transport.last.drop();
    clock.advance(250);
    expect(transport.connections.length).toBe(count + 1);
  });

  it('gives up a connection without welcome', () => {
    const { session, transport, clock } = setup();
    session.start();
    transport.last.open();
    clock.advance(15_000);
    expect(transport.connections[0]!.closedBecause).toBe('no welcome in time');
    clock.advance(15_000);
    expect(transport.connections.length).toBe(2);
  });

  it.each(['unauthorized', 'token_expired', 'forbidden', 'upgrade_required'] as const)(
    'ends at %s, which no retry mends',
    async (code) => {
      const { session, transport, clock } = setup();
      session.start();
      transport.last.drop(new TabgridError(code, 'no'));
      expect((await session.closed)?.code).toBe(code);
      clock.advance(60_000);
      expect(transport.connections.length).toBe(1);
      expect(clock.pending).toBe(0);
    },
  );

  it('ends when the edge names such a refusal in a frame and hangs up', async () => {
    const { session, edge } = online();
    edge.say({ type: 'error', error: { code: 'token_expired', message: 'over' } });
    expect(session.phase).toBe('working');
    edge.drop();
    expect((await session.closed)?.code).toBe('token_expired');
  });

  it('survives frames that it does not understand', () => {
    const { session, edge, events } = online();
    edge.sayText('{"type":"future"}');
    edge.sayText('rubbish');
    expect(session.phase).toBe('working');
    expect(events.filter(({ type }) => type === 'warning').length).toBe(2);
  });
});

describe('the heartbeat', () => {
  it('pings at the interval that the edge asks for', () => {
    const { edge, clock } = online();
    expect(edge.pings).toBe(1);
    for (let n = 0; n < 5; n++) {
      edge.sayText('pong');
      clock.advance(heartbeatMs);
    }
    expect(edge.pings).toBe(6);
  });

  it('gives up a connection whose pings stay unanswered, and keeps what it computes', () => {
    const world = online();
    const { edge, clock, executor, transport } = world;
    edge.say({ type: 'tasks', items: [assignment(1)] });
    clock.advance(3 * heartbeatMs);
    expect(edge.closedBecause).toBe('no answer to heartbeats');
    expect(executor.aborted).toEqual([]);
    const again = reconnect(world);
    expect(again.sent('hello')[0]).toMatchObject({ holding: [{ task_id: taskId(1), attempt: 1 }], credits: 1 });
    expect(transport.connections.length).toBe(2);
  });

  it('takes any frame as a sign of life', () => {
    const { edge, clock } = online();
    for (let n = 0; n < 6; n++) {
      clock.advance(heartbeatMs);
      edge.say({ type: 'ack', items: [] });
    }
    expect(edge.closedBecause).toBe(null);
  });
});

describe('work', () => {
  it('runs as many attempts at a time as it has slots, the highest priority first', () => {
    const { edge, executor } = online({ concurrency: 1, prefetch: 3 });
    edge.say({ type: 'tasks', items: [assignment(1), assignment(2, { priority: 1 }), assignment(3, { priority: 9 })] });
    const order: string[] = [];
    while (executor.running.size > 0) {
      expect(executor.running.size).toBe(1);
      const running: Assignment = [...executor.running.values()][0]!.assignment;
      order.push(running.task_id);
      executor.succeed(running);
    }
    expect(order).toEqual([taskId(3), taskId(1), taskId(2)]);
  });

  it('hands brief tasks over ahead of those that are computed, and never lets them hold up what came before them', () => {
    const { edge, executor } = online({ concurrency: 2, prefetch: 10, briefTasksAhead: 3 });
    const say = (from: number, count: number) =>
      edge.say({ type: 'tasks', items: Array.from({ length: count }, (_, n) => assignment(from + n)) });
    const finishAll = (runtimeMs: number) => {
      while (executor.running.size > 0)
        executor.succeed([...executor.running.values()][0]!.assignment, 'done', runtimeMs);
    };
    say(0, 20);
    expect(executor.running.size).toBe(2);
    finishAll(0.2);
    say(20, 7);
    edge.say({ type: 'tasks', items: [assignment(40, { task: 'train_surrogate' })] });
    say(27, 5);
    expect(executor.running.size).toBe(7);
    finishAll(200);
    say(50, 4);
    expect(executor.running.size).toBe(2);
  });

  it('tells starts and the newest progress', () => {
    const { edge, executor, clock } = online();
    edge.say({ type: 'tasks', items: [assignment(1)] });
    executor.tell(assignment(1), { type: 'progress', progress: { fraction: 0.1 } });
    executor.tell(assignment(1), { type: 'progress', progress: { fraction: 0.2 } });
    clock.advance(0);
    expect(edge.sent('started')[0]?.items).toEqual([refOf(assignment(1))]);
    expect(edge.sent('progress')).toEqual([
      { type: 'progress', items: [{ ...refOf(assignment(1)), progress: { fraction: 0.2 } }] },
    ]);
  });

  it('does not compute a task twice that was sent twice', () => {
    const { edge, executor } = online();
    edge.say({ type: 'tasks', items: [assignment(1), assignment(1)] });
    executor.succeed(assignment(1));
    edge.say({ type: 'tasks', items: [assignment(1)] });
    expect(executor.running.size).toBe(0);
  });

  it('stops an older attempt when a newer one of the same task arrives', () => {
    const { edge, executor } = online();
    edge.say({ type: 'tasks', items: [assignment(1)] });
    edge.say({ type: 'tasks', items: [assignment(1, { attempt: 2 })] });
    expect(executor.aborted).toEqual([{ ref: refOf(assignment(1)), reason: 'lost' }]);
    expect([...executor.running.keys()]).toEqual([`${taskId(1)}/2`]);
  });

  it('stops what the edge has given to others meanwhile, and does not report it', () => {
    const world = online();
    const { edge, executor, clock } = world;
    edge.say({ type: 'tasks', items: [assignment(1), assignment(2)] });
    executor.succeed(assignment(2));
    edge.drop();
    const again = reconnect(world, [refOf(assignment(1)), refOf(assignment(2))]);
    clock.advance(heartbeatMs);
    expect(executor.aborted).toEqual([{ ref: refOf(assignment(1)), reason: 'lost' }]);
    expect(again.sent('outcomes')).toEqual([]);
    expect(again.sent('credits')).toEqual([{ type: 'credits', add: 1 }]);
  });

  it('starts no faster than its rate limit', () => {
    const { edge, executor, clock } = online({ concurrency: 10, rateLimit: '2/s' });
    edge.say({ type: 'tasks', items: [1, 2, 3, 4, 5].map((n) => assignment(n)) });
    const counts = [executor.running.size];
    for (let n = 0; n < 4; n++) {
      clock.advance(500);
      counts.push(executor.running.size);
    }
    expect(counts).toEqual([1, 2, 3, 4, 5]);
  });

  it('hands an adopted attempt over, says so again after a reconnect, and frees its slot', () => {
    const world = online({ concurrency: 1 });
    const { edge, executor, clock } = world;
    edge.say({ type: 'tasks', items: [assignment(1)] });
    executor.tell(assignment(1), { type: 'adopted', group: 'redis-1' });
    clock.advance(0);
    expect(edge.sent('adopt')).toEqual([{ type: 'adopt', group: 'redis-1', items: [refOf(assignment(1))] }]);
    expect(edge.sent('credits')).toEqual([{ type: 'credits', add: 1 }]);
    edge.drop();
    const again = reconnect(world);
    clock.advance(0);
    expect(again.sent('hello')[0]?.holding).toEqual([refOf(assignment(1))]);
    expect(again.sent('adopt').length).toBe(1);
    again.say({ type: 'revoke', items: [{ ...refOf(assignment(1)), terminate: true }] });
    expect(executor.aborted).toEqual([{ ref: refOf(assignment(1)), reason: 'revoked' }]);
  });
});

describe('snapshots', () => {
  it('are asked for now and then, and sent ahead of what follows', () => {
    const { edge, executor, clock } = online({ snapshotEveryMs: 15_000 });
    edge.say({ type: 'tasks', items: [assignment(1)] });
    for (let n = 0; n < 4; n++) {
      clock.advance(heartbeatMs);
      edge.sayText('pong');
    }
    expect(executor.snapshotsAsked.length).toBe(2);
    executor.tell(assignment(1), { type: 'snapshot', snapshot });
    clock.advance(0);
    expect(edge.sent('snapshot')).toEqual([{ type: 'snapshot', ...refOf(assignment(1)), snapshot }]);
  });

  it('go ahead of a failure after which the next attempt goes on from there, and are left out before any other end', () => {
    const { edge, executor, clock } = online({ concurrency: 2 });
    edge.say({ type: 'tasks', items: [assignment(1), assignment(2)] });
    for (const [number, retryable] of [
      [1, true],
      [2, false],
    ] as const) {
      executor.tell(assignment(number), { type: 'snapshot', snapshot });
      const error = { type: 'task_failed' as const, message: 'no' };
      executor.tell(assignment(number), {
        type: 'finished',
        outcome: { type: 'failure', error, retryable },
        runtimeMs: 1,
      });
    }
    clock.advance(0);
    expect(edge.sent('snapshot')).toEqual([{ type: 'snapshot', ...refOf(assignment(1)), snapshot }]);
    const types = edge.frames.map(({ type }) => type);
    expect(types.indexOf('snapshot')).toBeLessThan(types.indexOf('outcomes'));
  });

  it('are sent again over a new connection, because the old one may have died with them', () => {
    const world = online();
    world.edge.say({ type: 'tasks', items: [assignment(1)] });
    world.executor.tell(assignment(1), { type: 'snapshot', snapshot });
    world.clock.advance(0);
    world.edge.drop();
    const again = reconnect(world);
    world.clock.advance(0);
    expect(again.sent('snapshot').length).toBe(1);
  });
});

describe('revoking', () => {
  it('ends a running attempt when told to terminate it', () => {
    const { edge, executor, clock } = online();
    edge.say({ type: 'tasks', items: [assignment(1)] });
    edge.say({ type: 'revoke', items: [{ ...refOf(assignment(1)), terminate: true }] });
    clock.advance(0);
    expect(executor.aborted).toEqual([{ ref: refOf(assignment(1)), reason: 'revoked' }]);
    expect(edge.sent('outcomes')[0]).toMatchObject({ items: [{ outcome: { type: 'revoked' } }], credits: 1 });
  });

  it('without terminate lets go on what runs, and drops what waits', () => {
    const { edge, executor, clock } = online({ concurrency: 1, prefetch: 2 });
    edge.say({ type: 'tasks', items: [assignment(1), assignment(2)] });
    const items = [assignment(1), assignment(2)].map((one) => ({ ...refOf(one), terminate: false }));
    edge.say({ type: 'revoke', items });
    clock.advance(0);
    expect(executor.aborted).toEqual([]);
    expect(edge.sent('outcomes')[0]?.items).toMatchObject([{ task_id: taskId(2), outcome: { type: 'revoked' } }]);
  });
});
