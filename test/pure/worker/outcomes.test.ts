import { describe, expect, it } from 'vitest';
import { assignment, FakeTransport, heartbeatMs, online, reconnect, refOf, setup, taskId, welcome } from './fakes.ts';

describe('outcomes', () => {
  it('puts outcomes that come together into one frame, and returns the credits with them', () => {
    const { edge, executor, clock } = online();
    edge.say({ type: 'tasks', items: [assignment(1), assignment(2)] });
    executor.succeed(assignment(1));
    executor.succeed(assignment(2));
    clock.advance(0);
    expect(edge.sent('outcomes').length).toBe(1);
    expect(edge.sent('outcomes')[0]).toMatchObject({
      credits: 2,
      items: [{ task_id: taskId(1) }, { task_id: taskId(2) }],
    });
    // The result tells its start too.
    expect(edge.sent('started')).toEqual([]);
  });

  it('tells many outcomes in parts, so that the edge stores the first while the last are computed', () => {
    const { edge, executor, clock } = online({ concurrency: 120 });
    const items = Array.from({ length: 120 }, (_, n) => assignment(n));
    edge.say({ type: 'tasks', items });
    for (const item of items) executor.succeed(item);
    const partsOf = () => edge.sent('outcomes').map((frame) => frame.items.length);
    expect(partsOf()).toEqual([50, 50]);
    clock.advance(0);
    expect(partsOf()).toEqual([50, 50, 20]);
  });

  it.each([
    ['200 of an edge that does not say how many', undefined, 200],
    ['as many as its edge takes', 700, 700],
  ])('holds %s, and names them all when it comes back', (_, maxHolding, count) => {
    const world = setup({ concurrency: 200, prefetch: 10 });
    const { session, transport, executor, clock } = world;
    session.start();
    transport.last.open();
    const edge = transport.last;
    edge.say(welcome([], maxHolding));
    clock.advance(0);
    const more = edge.sent('credits').reduce((sum, { add }) => sum + add, 0);
    expect([edge.sent('hello')[0]?.credits, more]).toEqual([200, count - 200]);
    const items = Array.from({ length: count }, (__, n) => assignment(n));
    for (let from = 0; from < count; from += 100) edge.say({ type: 'tasks', items: items.slice(from, from + 100) });
    for (const item of items.slice(0, 100)) executor.succeed(item);
    edge.drop();
    const hello = reconnect(world).sent('hello')[0];
    expect([hello?.holding.length, hello?.credits]).toEqual([count, 0]);
  });

  it('tells outcomes together though many wait for another edge, which is away', () => {
    const other = new FakeTransport();
    const { clock, transport, executor, session } = setup({ concurrency: 400 }, other);
    session.start();
    for (const each of [transport, other]) {
      each.last.open();
      each.last.say(welcome());
    }
    const lost = Array.from({ length: 60 }, (_, n) => assignment(n));
    transport.last.say({ type: 'tasks', items: lost });
    transport.last.drop();
    for (const item of lost) executor.succeed(item);
    const items = Array.from({ length: 40 }, (_, n) => assignment(1000 + n));
    other.last.say({ type: 'tasks', items });
    for (const item of items) executor.succeed(item);
    clock.advance(0);
    expect(other.last.sent('outcomes').map((frame) => frame.items.length)).toEqual([40]);
  });

  it('repeats an outcome over the same connection until it is acknowledged, without credits', () => {
    const { edge, executor, clock } = online();
    edge.say({ type: 'tasks', items: [assignment(1)] });
    executor.succeed(assignment(1));
    for (let n = 0; n < 3; n++) {
      clock.advance(heartbeatMs);
      edge.sayText('pong');
    }
    const repeated = edge.sent('outcomes');
    expect(repeated.length).toBeGreaterThan(1);
    expect(repeated.reduce((sum, { credits }) => sum + credits, 0)).toBe(1);
    edge.say({ type: 'ack', items: [{ ...refOf(assignment(1)), status: 'recorded' }] });
    clock.advance(5 * heartbeatMs);
    expect(edge.sent('outcomes').length).toBe(repeated.length);
  });

  it('keeps outcomes over a lost connection, names them in hello and sends them again', () => {
    const world = online();
    const { edge, executor, clock } = world;
    edge.say({ type: 'tasks', items: [assignment(1)] });
    edge.drop();
    executor.succeed(assignment(1));
    const again = reconnect(world);
    clock.advance(0);
    expect(again.sent('hello')[0]?.holding).toEqual([refOf(assignment(1))]);
    expect(again.sent('outcomes')[0]?.items).toMatchObject([{ task_id: taskId(1), outcome: { type: 'success' } }]);
  });
});
