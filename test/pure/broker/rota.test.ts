import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskId } from '#protocol';
import { isBefore, type Position } from '../../../edge/broker/lane-head.ts';
import type { Lane, LaneKind } from '../../../edge/broker/lanes.ts';
import { Rota } from '../../../edge/broker/rota.ts';

const idOf = (number: number): TaskId => `0-${String(number).padStart(26, '0')}` as TaskId;
const kinds: LaneKind[] = ['a', 'b'].map((queue) => ({ queue, needs: ['ping'], edge: false }));

/** Lanes whose tasks are lists in memory. */
class Lanes {
  readonly tasks = new Map<number, Position[]>();
  readonly lanes: Lane[] = [];
  readonly rota = new Rota((lane) => this.tasks.get(lane)?.[0]);

  lane(owner: string, kind = kinds[0]!): Lane {
    const lane: Lane = { id: this.lanes.length, kind, owner, concurrency: null };
    this.lanes.push(lane);
    this.tasks.set(lane.id, []);
    return lane;
  }

  add(lane: Lane, number: number, priority = 5): void {
    const position = { priority, id: idOf(number) };
    const tasks = this.tasks.get(lane.id)!;
    tasks.push(position);
    tasks.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    this.rota.put(lane, position);
  }

  take(from: readonly LaneKind[] = kinds): { owner: string; number: number } | undefined {
    const turn = this.rota.next(from);
    if (turn === undefined) return undefined;
    expect(this.tasks.get(turn.lane.id)!.shift()).toEqual(turn.head);
    this.rota.served(turn);
    return { owner: turn.lane.owner, number: Number(turn.head.id.slice(2)) };
  }

  owners(count: number): string {
    return Array.from({ length: count }, () => this.take()?.owner ?? '-').join('');
  }
}

describe('whose turn it is', () => {
  it('is the owner’s who was served longest ago, however many tasks another has', () => {
    const lanes = new Lanes();
    const [a, b, c] = ['a', 'b', 'c'].map((owner) => lanes.lane(owner));
    for (let number = 0; number < 1000; number++) lanes.add(a!, number);
    expect(lanes.owners(3)).toBe('aaa');
    lanes.add(b!, 2000);
    lanes.add(b!, 2001);
    lanes.add(c!, 2002);
    expect(lanes.owners(6)).toBe('bcabaa');
  });

  it('is the highest priority’s first, whoever has it', () => {
    const lanes = new Lanes();
    const [a, b] = ['a', 'b'].map((owner) => lanes.lane(owner));
    for (let number = 0; number < 4; number++) lanes.add(a!, number, 7);
    lanes.add(b!, 9, 2);
    expect(lanes.owners(6)).toBe('aaaab-');
  });

  it('is, among an owner’s lanes, the one whose task came first, in whatever kinds they are', () => {
    const lanes = new Lanes();
    const [one, other] = [lanes.lane('a'), lanes.lane('a', kinds[1])];
    [3, 1, 4].forEach((number) => lanes.add(one, number));
    [2, 0, 5].forEach((number) => lanes.add(other, number));
    expect(Array.from({ length: 6 }, () => lanes.take()?.number)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('is found among the kinds that were asked for alone', () => {
    const lanes = new Lanes();
    lanes.add(lanes.lane('a'), 1, 9);
    lanes.add(lanes.lane('b', kinds[1]), 2, 1);
    expect(lanes.take([kinds[1]!])?.owner).toBe('b');
    expect(lanes.take([kinds[1]!])).toBeUndefined();
    expect(lanes.take()?.owner).toBe('a');
  });

  it('passes over a lane that was withdrawn until it is looked at anew', () => {
    const lanes = new Lanes();
    const [a, b] = [lanes.lane('a'), lanes.lane('b')];
    lanes.add(a, 1);
    lanes.add(b, 2);
    lanes.rota.withdraw(a);
    expect(lanes.owners(2)).toBe('b-');
    lanes.rota.refresh(a);
    expect(lanes.owners(2)).toBe('a-');
  });

  it('never forgets a task, keeps the order within each lane, and lets nobody wait for more turns than there are others', () => {
    const step = fc.record({
      lane: fc.nat(5),
      priority: fc.integer({ min: 0, max: 2 }),
      take: fc.boolean(),
      drop: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const lanes = new Lanes();
        for (let n = 0; n < 6; n++) lanes.lane(`owner${n % 3}`, kinds[n % 2]);
        let number = 0;
        for (const { lane, priority, take, drop } of steps) {
          lanes.add(lanes.lanes[lane]!, number++, priority);
          // Revoked while it waits: the rota isn’t told.
          if (drop) lanes.tasks.get(lane)!.shift();
          if (!take) continue;
          const waiting = [...lanes.tasks.values()].flatMap((tasks) => tasks.slice(0, 1));
          const highest = Math.max(...waiting.map((head) => head.priority));
          const turn = lanes.rota.next(kinds);
          expect(turn?.head.priority).toBe(waiting.length === 0 ? undefined : highest);
          lanes.take();
        }
        const left = [...lanes.tasks.values()].reduce((sum, tasks) => sum + tasks.length, 0);
        for (let n = 0; n < left; n++) expect(lanes.take()).toBeDefined();
        expect(lanes.take()).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
