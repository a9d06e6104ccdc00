import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkerId } from '#protocol';
import type { Component } from '../../../node-worker/components/component.ts';
import type { WorkerContext } from '../../../node-worker/components/context.ts';
import { startOrder, type GraphNode } from '../../../node-worker/components/graph.ts';
import { Lifecycle } from '../../../node-worker/components/lifecycle.ts';
import { FakeClock } from '../worker/fakes.ts';

const names = (nodes: readonly GraphNode[]) => startOrder(nodes).map(({ name }) => name);

describe('the order of components', () => {
  it('is that of the list, but for what requires and what precedes others', () => {
    expect(names([{ name: 'c', requires: ['a'] }, { name: 'b' }, { name: 'a' }])).toEqual(['b', 'a', 'c']);
    expect(names([{ name: 'a' }, { name: 'b' }, { name: 'early', before: ['a', 'absent'] }])).toEqual([
      'b',
      'early',
      'a',
    ]);
  });

  it('names what is missing, what comes twice, and a cycle in full', () => {
    expect(() => startOrder([{ name: 'a', requires: ['redis'] }])).toThrow('a requires redis, which is not there');
    expect(() => startOrder([{ name: 'a' }, { name: 'a' }])).toThrow('two with the name a');
    expect(() => startOrder([{ name: 'a', requires: ['a'] }])).toThrow('they wait for each other: a → a.');
    const ring = [
      { name: 'last', requires: ['a'] },
      { name: 'a', requires: ['b'] },
      { name: 'b', requires: ['c'] },
      { name: 'c', before: ['free'], requires: ['a'] },
      { name: 'free' },
    ];
    expect(() => startOrder(ring)).toThrow('they wait for each other: a → b → c → a.');
  });

  it('keeps every relation of any graph without cycles, and is the same for the same list', () => {
    const graphs = fc
      .array(fc.array(fc.record({ to: fc.nat(20), isBefore: fc.boolean() }), { maxLength: 4 }), { maxLength: 15 })
      .chain((edges) => {
        // Whoever points only to smaller numbers makes no cycle, in whatever order the list is.
        const nodes = edges.map((all, from): GraphNode => {
          const smaller = all.filter(({ to }) => to < from);
          const requires = smaller.filter(({ isBefore }) => !isBefore).map(({ to }) => String(to));
          return { name: String(from), requires };
        });
        const before = edges.flatMap((all, from) =>
          all.filter(({ to, isBefore }) => isBefore && to > from && to < edges.length).map(({ to }) => ({ from, to })),
        );
        const whole = nodes.map((node, from) => ({
          ...node,
          before: before.filter((edge) => edge.from === from).map(({ to }) => String(to)),
        }));
        return fc.shuffledSubarray(whole, { minLength: whole.length });
      });
    fc.assert(
      fc.property(graphs, (nodes) => {
        const order = names(nodes);
        expect([...order].sort()).toEqual(nodes.map(({ name }) => name).sort());
        for (const { name, requires = [], before = [] } of nodes) {
          for (const required of requires) expect(order.indexOf(required)).toBeLessThan(order.indexOf(name));
          for (const later of before) expect(order.indexOf(name)).toBeLessThan(order.indexOf(later));
        }
        expect(names(nodes)).toEqual(order);
      }),
    );
  });
});

function world() {
  const clock = new FakeClock();
  const logs: string[] = [];
  const told: string[] = [];
  const lifecycle = new Lifecycle({ clock, log: (line) => logs.push(line) });
  const one = (name: string, requires: string[] = [], extra: Partial<Component> = {}): Component => ({
    name,
    requires,
    start: (_, parts) => {
      told.push(`start ${name}(${Object.values(parts).join()})`);
      return {
        value: name.toUpperCase(),
        takeNoMore: () => void told.push(`take no more ${name}`),
        stop: () => void told.push(`stop ${name}`),
      };
    },
    ...extra,
  });
  return { clock, logs, told, lifecycle, one, worker: { workerId: 'lab:1' as WorkerId } as WorkerContext };
}

const calm = () => new AbortController().signal;

describe('the life of components', () => {
  it('begins in order, with the parts that each requires, and ends in the reverse one', async () => {
    const { lifecycle, told, one, worker } = world();
    await lifecycle.start([one('b', ['a']), one('a'), one('c', ['b', 'a'])], worker);
    expect(told).toEqual(['start a()', 'start b(A)', 'start c(B,A)']);
    lifecycle.takeNoMore();
    await lifecycle.stop(calm());
    await lifecycle.stop(calm());
    const ends = ['c', 'b', 'a'];
    expect(told.slice(3)).toEqual([
      ...ends.map((name) => `take no more ${name}`),
      ...ends.map((name) => `stop ${name}`),
    ]);
  });

  it('stops what has started when one fails, and says which', async () => {
    const { lifecycle, told, logs, one, worker } = world();
    const failing = one('b', ['a'], { start: () => Promise.reject(new Error('no port')) });
    await expect(lifecycle.start([one('a'), failing, one('c', ['b'])], worker)).rejects.toThrow(
      'The component b: no port',
    );
    expect(told).toEqual(['start a()', 'take no more a', 'stop a']);
    expect(logs).toEqual(['The component b did not start.']);
  });

  it('stops all others although one throws and another never ends', async () => {
    const { lifecycle, clock, told, logs, one, worker } = world();
    const throwing = one('throwing', ['a'], {
      start: () => ({
        takeNoMore: () => {
          throw new Error('no');
        },
        stop: () => {
          throw new Error('never');
        },
      }),
    });
    const stuck = one('stuck', ['throwing'], { start: () => ({ stop: () => new Promise(() => undefined) }) });
    await lifecycle.start([one('a'), throwing, stuck], worker);
    const stopped = lifecycle.stop(calm());
    await untilPending(clock);
    clock.advance(10_000);
    await stopped;
    expect(told.at(-1)).toBe('stop a');
    expect(logs).toEqual([
      'The component throwing: no',
      'The component stuck did not stop in time; the others are stopped without it.',
      'The component throwing: never',
    ]);
    expect(clock.pending).toBe(0);
  });

  it('waits for one that has all the time it needs until somebody is in a hurry', async () => {
    const { lifecycle, clock, logs, one, worker } = world();
    const slow = one('slow', [], { stopWithinMs: null, start: () => ({ stop: () => new Promise(() => undefined) }) });
    await lifecycle.start([slow], worker);
    const hurry = new AbortController();
    const stopped = lifecycle.stop(hurry.signal);
    clock.advance(3_600_000);
    expect(clock.pending).toBe(0);
    hurry.abort();
    await untilPending(clock);
    clock.advance(10_000);
    await stopped;
    expect(logs).toHaveLength(1);
  });
});

/** Until somebody waits for the clock. */
async function untilPending(clock: FakeClock): Promise<void> {
  while (clock.pending === 0) await Promise.resolve();
}
