import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TabgridError, type AttemptRef } from '#protocol';
import { assignment, FakeTransport, refOf, setup, welcome } from './fakes.ts';
import { ModelShard } from './model-shard.ts';

/** A worker of so many slots, and an edge of so many shards. */
function world(shardCount: number, slots: number) {
  const base = setup({ concurrency: slots });
  const shards = Array.from({ length: shardCount }, (_, n) => new ModelShard(base.transport, n, shardCount));
  base.session.start();
  const held = () => base.session.stats.active.length;
  const outstanding = () => shards.reduce((sum, shard) => sum + shard.outstanding, 0) + held();
  const finish = (which: number) => {
    const running = [...base.executor.running.values()];
    const one = running[which % Math.max(1, running.length)];
    if (one) base.executor.succeed(refOf(one.assignment));
  };
  /** Everything that is on its way arrives, and what follows from it too. */
  const settle = () => {
    let moved = 1;
    while (moved > 0) {
      base.clock.advance(0);
      moved = 0;
      for (const shard of shards) moved += Number(shard.open()) + shard.read(1000) + shard.deliver(1000);
    }
  };
  return { ...base, shards, held, outstanding, finish, settle };
}

describe('a worker of an edge with several shards', () => {
  it('connects to all of them, and shares its slots among them', () => {
    const { shards, transport, settle, session } = world(3, 6);
    settle();
    expect(transport.connections.map(({ shard }) => shard)).toEqual([0, 1, 2]);
    expect(shards.map(({ credits }) => credits).every((credits) => credits > 0)).toBe(true);
    expect(shards.reduce((sum, { credits }) => sum + credits, 0)).toBe(6);
    expect(session.stats).toMatchObject({ links: 3, phase: 'working' });
  });

  it('gives all its slots to the one shard that has work, and takes them back for another', () => {
    const { shards, held, settle, finish } = world(3, 4);
    settle();
    shards[1]!.submit(50);
    settle();
    expect(held()).toBe(4);
    expect(shards[1]!.leased.size).toBe(4);
    shards[2]!.submit(1);
    settle();
    for (let n = 0; n < 2; n++) {
      finish(0);
      settle();
    }
    expect(shards[2]!.leased.size + shards[2]!.done).toBe(1);
    while (held() > 0) {
      finish(0);
      settle();
    }
    expect(shards.map(({ done }) => done)).toEqual([0, 50, 1]);
    shards[0]!.submit(4);
    settle();
    expect(shards[0]!.leased.size).toBe(4);
  });

  it('serves more shards than it has slots, each in turn', () => {
    const { shards, held, settle, finish } = world(5, 1);
    settle();
    for (const shard of shards) shard.submit(100);
    settle();
    for (let n = 0; n < 50; n++) {
      expect(held()).toBe(1);
      finish(0);
      settle();
    }
    for (const { done } of shards) expect(Math.abs(done - 10)).toBeLessThanOrEqual(1);
  });

  it('follows when there are more shards, or fewer', () => {
    const { shards, transport, settle, session, clock } = world(3, 2);
    for (const shard of shards) shard.shards = 2;
    settle();
    expect(session.stats.links).toBe(2);
    for (const shard of shards) shard.shards = 3;
    shards[0]!.drop();
    while (transport.connections.length < 3) clock.advance(1000);
    settle();
    expect(session.stats.links).toBe(3);
    for (const shard of shards) shard.shards = 1;
    for (const shard of shards) shard.drop();
    while (shards[0]!.connection?.isOpen !== true) {
      clock.advance(1000);
      settle();
    }
    clock.advance(1000);
    settle();
    const before = transport.connections.length;
    expect(session.stats.links).toBe(1);
    for (let n = 0; n < 10; n++) {
      clock.advance(7000);
      settle();
    }
    expect(transport.connections).toHaveLength(before);
  });

  const steps = fc.array(
    fc.record({
      action: fc.constantFrom('submit', 'read', 'deliver', 'finish', 'tick', 'drop', 'open', 'wait'),
      shard: fc.nat(3),
      count: fc.integer({ min: 1, max: 6 }),
    }),
    { maxLength: 120 },
  );

  it('never has more out than it has slots, and no slot idles while tasks wait, whatever is late or lost', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), steps, (count, slots, all) => {
        const { shards, clock, held, outstanding, finish, settle } = world(count, slots);
        for (const { action, shard: which, count: amount } of all) {
          const shard = shards[which % count]!;
          if (action === 'submit') shard.submit(amount);
          else if (action === 'read') shard.read(amount);
          else if (action === 'deliver') shard.deliver(amount);
          else if (action === 'finish') finish(amount);
          else if (action === 'drop') shard.drop();
          else if (action === 'open') shard.open();
          else clock.advance(action === 'tick' ? 0 : 3000);
          expect(outstanding()).toBeLessThanOrEqual(slots);
        }
        const reconnect = () => {
          for (let n = 0; n < 5; n++) {
            settle();
            clock.advance(15_000);
          }
          settle();
        };
        reconnect();
        for (;;) {
          const waiting = shards.reduce((sum, shard) => sum + shard.waiting, 0);
          if (waiting > 0) expect(held()).toBe(slots);
          if (held() === 0) break;
          finish(0);
          settle();
          expect(outstanding()).toBeLessThanOrEqual(slots);
        }
        expect(shards.flatMap((shard) => [...shard.leased])).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

/** A worker of two edges. */
function twoEdges() {
  const other = new FakeTransport();
  const { clock, transport, executor, events, session } = setup({}, other);
  const transports = [transport, other] as const;
  const warnings = () => events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
  session.start();
  const greet = (edge: 0 | 1) => {
    transports[edge].last.open();
    transports[edge].last.say(welcome());
    clock.advance(0);
    return transports[edge].last;
  };
  return { clock, executor, transports, session, greet, warnings };
}

describe('a worker of several edges', () => {
  it('reports to the edge that gave the task, and says where its files are', () => {
    const { executor, greet, clock } = twoEdges();
    const [first, second] = [greet(0), greet(1)];
    const [one, other] = [assignment(1), assignment(2)];
    first.say({ type: 'tasks', items: [one] });
    second.say({ type: 'tasks', items: [other] });
    expect([...executor.running.values()].map((running) => running.assignment)).toMatchObject([
      { task_id: one.task_id, edge: 0 },
      { task_id: other.task_id, edge: 1 },
    ]);
    // An edge has no say about what another gave.
    second.say({ type: 'revoke', items: [{ ...refOf(one), terminate: true }] });
    second.say({ type: 'ack', items: [{ ...refOf(one), status: 'lease_lost' }] });
    for (const { task_id, attempt } of [one, other]) executor.succeed({ task_id, attempt } satisfies AttemptRef);
    clock.advance(0);
    expect(first.sent('outcomes').flatMap(({ items }) => items.map((item) => item.task_id))).toEqual([one.task_id]);
    expect(second.sent('outcomes').flatMap(({ items }) => items.map((item) => item.task_id))).toEqual([other.task_id]);
  });

  it('goes on with the others when one is away or refuses it, and ends when all do', async () => {
    const { session, transports, greet, warnings, clock } = twoEdges();
    greet(0);
    greet(1);
    transports[0].last.drop(new TabgridError('unauthorized', 'the token is not accepted'));
    expect(session.phase).toBe('working');
    expect(warnings().join()).toContain('goes on without');
    clock.advance(7000);
    expect(transports[0].connections).toHaveLength(1);
    transports[1].last.drop();
    expect(session.phase).toBe('connecting');
    while (transports[1].connections.length < 2) clock.advance(1000);
    transports[1].last.drop(new TabgridError('forbidden', 'not here'));
    expect((await session.closed)?.code).toBe('forbidden');
  });
});
