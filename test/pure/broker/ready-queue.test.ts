import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskId } from '#protocol';
import { isBefore, type Position } from '../../../edge/broker/lane-head.ts';
import type { Lane } from '../../../edge/broker/lanes.ts';
import { ReadyQueue } from '../../../edge/broker/ready-queue.ts';

/** A stored queue: what is ready or leased, by lane. */
class Stored {
  readonly rows = new Map<TaskId, { lane: number; position: Position }>();
  readonly leased = new Set<TaskId>();
  pages = 0;

  readonly source = {
    page: (lane: number, after: Position | null, limit: number): Position[] => {
      this.pages++;
      return this.inLane(lane)
        .filter((position) => after === null || isBefore(after, position))
        .slice(0, limit);
    },
    heads: (): { lane: number; head: Position }[] =>
      lanes.flatMap((lane) =>
        this.inLane(lane.id)
          .slice(0, 1)
          .map((head) => ({ lane: lane.id, head })),
      ),
    lane: (id: number): Lane => lanes[id]!,
    isLeased: (id: TaskId): boolean => this.leased.has(id),
  };

  inLane(lane: number): Position[] {
    return [...this.rows.values()]
      .filter((row) => row.lane === lane)
      .map(({ position }) => position)
      .sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  ready(lane: number): Position[] {
    return this.inLane(lane).filter(({ id }) => !this.leased.has(id));
  }
}

/** Each of a kind of its own. */
const lanes: Lane[] = [0, 1, 2].map((id) => ({
  id,
  kind: { queue: `q${id}`, needs: ['ping'], edge: false },
  owner: 'alice',
  concurrency: null,
}));

const shift = (queue: ReadyQueue, lane: number): Position | undefined => {
  const turn = queue.next([lanes[lane]!.kind]);
  if (turn !== undefined) queue.take(turn);
  return turn?.head;
};

const idOf = (number: number): TaskId => `0-${String(number).padStart(26, '0')}` as TaskId;

type Step =
  | { type: 'submit'; lane: number; priority: number; number: number }
  | { type: 'claim'; lane: number }
  | { type: 'give back'; choice: number }
  | { type: 'finish'; choice: number }
  | { type: 'revoke'; choice: number }
  | { type: 'forget' };

const lane = fc.integer({ min: 0, max: 2 });
const choice = fc.nat();
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('submit' as const),
      lane,
      priority: fc.integer({ min: 0, max: 9 }),
      number: fc.nat(999),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('claim' as const), lane }) },
  fc.record({ type: fc.constantFrom('give back' as const, 'finish' as const, 'revoke' as const), choice }),
  { weight: 1, arbitrary: fc.constant({ type: 'forget' as const }) },
);

describe('the ready queue', () => {
  it('always serves what storage has first, whatever memory holds, however it was forgotten', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 4 }), (steps, pageCount) => {
        const stored = new Stored();
        const queue = new ReadyQueue(stored.source, { pageCount, maxHeadCount: 6, maxTotalCount: 100 });
        const pick = (from: readonly TaskId[], index: number): TaskId | undefined =>
          from[index % Math.max(1, from.length)];
        for (const now of steps) {
          switch (now.type) {
            case 'submit': {
              const position = { priority: now.priority, id: idOf(now.number) };
              if (stored.rows.has(position.id)) break;
              stored.rows.set(position.id, { lane: now.lane, position });
              queue.add(now.lane, position);
              break;
            }
            case 'claim': {
              const [first] = stored.ready(now.lane);
              expect(queue.next([lanes[now.lane]!.kind])?.head).toEqual(first);
              expect(shift(queue, now.lane)).toEqual(first);
              if (first !== undefined) stored.leased.add(first.id);
              break;
            }
            case 'give back': {
              const id = pick([...stored.leased], now.choice);
              const row = id === undefined ? undefined : stored.rows.get(id);
              if (id === undefined || row === undefined) break;
              stored.leased.delete(id);
              queue.add(row.lane, row.position);
              break;
            }
            case 'finish': {
              const id = pick([...stored.leased], now.choice);
              if (id === undefined) break;
              stored.leased.delete(id);
              stored.rows.delete(id);
              break;
            }
            case 'revoke': {
              const ready = [0, 1, 2].flatMap((one) => stored.ready(one)).map(({ id }) => id);
              const id = pick(ready, now.choice);
              const row = id === undefined ? undefined : stored.rows.get(id);
              if (id === undefined || row === undefined) break;
              stored.rows.delete(id);
              queue.remove(row.lane, row.position);
              break;
            }
            case 'forget':
              queue.reset();
          }
        }
        for (const one of [0, 1, 2]) {
          const served: Position[] = [];
          for (let head = shift(queue, one); head !== undefined; head = shift(queue, one)) {
            served.push({ priority: head.priority, id: head.id });
            stored.leased.add(head.id);
          }
          expect(stored.ready(one)).toEqual([]);
          expect([...served].sort((a, b) => (isBefore(a, b) ? -1 : 1))).toEqual(served);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reads a long queue in pages, once', () => {
    const stored = new Stored();
    for (let number = 0; number < 100; number++) {
      stored.rows.set(idOf(number), { lane: 0, position: { priority: 5, id: idOf(number) } });
    }
    const queue = new ReadyQueue(stored.source, { pageCount: 10, maxHeadCount: 50, maxTotalCount: 1000 });
    for (let number = 0; number < 100; number++) {
      const head = shift(queue, 0);
      expect(head?.id).toBe(idOf(number));
      if (head !== undefined) stored.leased.add(head.id);
    }
    expect(shift(queue, 0)).toBeUndefined();
    expect(stored.pages).toBe(11);
  });
});
