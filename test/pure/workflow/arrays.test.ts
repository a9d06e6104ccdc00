import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shardOf } from '#protocol';
import { homeShard } from '../../../edge/lib/shards.ts';
import { itemsOpen } from '../../../edge/workflow/core/arrays.ts';
import { countOf, itemAt, stretchOf } from '../../../edge/workflow/core/items.ts';
import { wantsToWiden } from '../../../edge/workflow/core/open.ts';
import type { PlanNode } from '../../../edge/workflow/core/types.ts';
import { Course, type Compute } from './world.ts';

const place: Compute = (where) => ({ value: where, bytes: 9 });

/** An array over a range of numbers. */
function array(count: number, size: number | null = null): PlanNode[] {
  const items = { range: [0, count] as [number, number] };
  const plan = { task: 'ping', kwargs: {}, star: false, items, count, size, needs: ['ping'], options: {} };
  return [
    {
      parent: null,
      position: 0,
      path: '',
      children: [],
      labels: [],
      linkError: null,
      what: { kind: 'array', array: plan },
    },
  ];
}

function ranges(course: Course): { from: number; to: number }[] {
  return course.submitted.flatMap(({ call }) => (call.kind === 'range' ? { from: call.from, to: call.to } : []));
}

describe('an array', () => {
  it('begins with few ranges, has more under way as time passes, and never more than its window', () => {
    const course = new Course(array(1_000_000, 100));
    expect(course.waiting).toHaveLength(8);
    for (let second = 0; second < 5; second++) {
      expect(wantsToWiden(course.state)).toBe(true);
      course.apply({ type: 'widen' });
    }
    expect(course.waiting).toHaveLength(256);
    expect(wantsToWiden(course.state)).toBe(false);
    course.finish(course.waiting[3]!);
    expect(course.waiting).toHaveLength(256);
    expect(course.state.progress).toEqual({ total: 1_000_000, succeeded: 100, failed: 0, running: 25_600 });
  });

  it('takes as little room with ten million items as with a thousand', () => {
    const sizes = [1_000, 10_000_000].map((count) => JSON.stringify(new Course(array(count, 10)).state).length);
    expect(sizes[1]! - sizes[0]!).toBeLessThan(100);
  });

  it('submits every item once, in ranges without holes, whatever items take', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 0, max: 400 }), (count, itemMs) => {
        const course = new Course(array(count), place);
        for (let task = course.waiting[0]; task !== undefined; task = course.waiting[0]) {
          const { call } = task;
          course.finish(task, call.kind === 'range' ? itemMs * (call.to - call.from) : 0);
        }
        const found = ranges(course);
        expect(found.map(({ from }) => from)).toEqual([0, ...found.slice(0, -1).map(({ to }) => to)]);
        expect(found.at(-1)?.to).toBe(count);
        expect(course.result).toHaveLength(count);
        const longestMs = Math.max(...found.map(({ from, to }) => (to - from) * itemMs));
        expect(longestMs).toBeLessThanOrEqual(Math.max(3000, 10 * itemMs));
      }),
      { numRuns: 30 },
    );
  });

  it('puts a thousand quick items into one range, few large results, and one slow item', () => {
    const sizeAfter = (itemMs: number, itemBytes: number): number => {
      const course = new Course(array(1_000_000), (where) => ({ value: where, bytes: itemBytes }));
      const [first] = course.waiting;
      const { call } = first!;
      const items = call.kind === 'range' ? call.to - call.from : 0;
      course.apply({
        type: 'task_finished',
        ref: first!.ref,
        taskId: first!.taskId,
        state: 'SUCCESS',
        bytes: items * itemBytes,
        items,
        isFile: false,
        error: null,
        runtimeMs: itemMs * items,
      });
      const { from, to } = ranges(course).at(-1)!;
      return to - from;
    };
    expect(sizeAfter(1, 10)).toBe(1000);
    expect(sizeAfter(1, 20_000)).toBe(25);
    expect(sizeAfter(30, 10)).toBe(100);
    expect(sizeAfter(60_000, 10)).toBe(1);
  });

  it('begins nothing more after a failure, lets what runs end, and fails once', () => {
    const course = new Course(array(1_000, 10), (where) => (where === '[25]' ? { failure: where } : place(where, [])));
    course.finish(course.waiting[2]!);
    expect(course.state.state).toBe('STARTED');
    expect(itemsOpen(course.state.nodes[0]!.array!)).toBe(70);
    course.apply({ type: 'widen' });
    expect(course.submitted).toHaveLength(8);
    course.run();
    expect(course.state).toMatchObject({
      state: 'FAILURE',
      progress: { total: 1000, succeeded: 70, failed: 10, running: 0 },
      error: { type: 'task_failed', message: '[25]', path: '' },
    });
  });

  it('ends with all that is under way where it cannot go on', () => {
    const course = new Course(array(1_000, 10));
    course.apply({ type: 'broken', code: 'internal', message: 'a defect' });
    expect(course.state).toMatchObject({ state: 'FAILURE', error: { type: 'internal' }, progress: { running: 0 } });
    expect(course.commands.find(({ type }) => type === 'revoke')).toMatchObject({ terminate: true });
    const { submitted } = course;
    const before = course.state;
    for (const task of [...submitted]) course.finish(task);
    expect(course.state).toEqual(before);
  });

  it('and what its failure leads to go to their owner’s home shard where they are under a concurrency limit', () => {
    const shardsOf = (keyed: object): (number | string)[] => {
      const map = { task: 'ping', items: { range: [0, 8] }, ...keyed };
      const canvas = { map, link_error: { task: 'ping', immutable: true, ...keyed } };
      const course = new Course(canvas, (where) => (where === '[5]' ? { failure: where } : place(where, []))).run();
      expect(course.errbacks).toHaveLength(1);
      return course.submitted.map(({ taskId }) => shardOf(taskId));
    };
    expect(new Set(shardsOf({})).size).toBeGreaterThan(1);
    expect(new Set(shardsOf({ concurrency_key: 'licence' }))).toEqual(new Set([homeShard('ada', [0, 1, 2])]));
  });

  it('fails where a worker answers with another number of results', () => {
    const course = new Course(array(10, 5));
    const { ref, taskId } = course.waiting[0]!;
    const end = { state: 'SUCCESS', bytes: 9, error: null, runtimeMs: 1, isFile: false } as const;
    course.apply({ type: 'task_finished', ref, taskId, ...end, items: 4 }, '[1,2,3,4]');
    course.run();
    expect(course.state.error?.message).toBe('expected a list of 5 results from the worker');
  });
});

describe('items', () => {
  it('are counted and found by number in ranges and grids', () => {
    const grid = { grid: { a: [1, 2], b: ['x', 'y', 'z'] } };
    expect(countOf(grid)).toBe(6);
    expect(Array.from({ length: 6 }, (_, index) => itemAt(grid, index))).toEqual(
      [1, 2].flatMap((a) => ['x', 'y', 'z'].map((b) => ({ a, b }))),
    );
    const range = (...given: [number, number, number]): unknown[] => {
      const items = { range: given };
      return Array.from({ length: countOf(items) }, (_, index) => itemAt(items, index));
    };
    expect(range(0, 7, 3)).toEqual([0, 3, 6]);
    expect(range(5, 0, -2)).toEqual([5, 3, 1]);
    expect(range(5, 5, 1)).toEqual([]);
    expect(range(5, 1, 1)).toEqual([]);
  });

  it('are described to a task by a few numbers', () => {
    expect(stretchOf({ items: { range: [10, 100, 5] } }, 2, 4)).toEqual({ range: [20, 30, 5] });
    const file = { path: '/items.csv', sha256: 'ab', count: 9 };
    expect(stretchOf({ items: file }, 2, 4)).toEqual({ file: '/items.csv', sha256: 'ab', from: 2, to: 4 });
    expect(stretchOf({ items: ['a', 'b', 'c'] }, 1, 3)).toEqual(['b', 'c']);
  });
});
