import { describe, expect, it } from 'vitest';
import type { TaskEnd, TaskId } from '#protocol';
import { Ends } from '../../../client/sdk/ends.ts';

const end = (number: number): TaskEnd => ({
  task_id: `0-${number}` as TaskId,
  state: 'SUCCESS',
  result: number,
  error: null,
});

describe('ends that nobody has asked for', () => {
  it('are kept by the ten thousands while they are short', () => {
    const ends = new Ends();
    for (let n = 0; n < 100_000; n++) ends.add([end(n)], 100);
    expect(ends.get(end(0).task_id)).toEqual(end(0));
    expect(ends.get(end(99_999).task_id)).toEqual(end(99_999));
  });

  it('are forgotten, the oldest first, when their text is long', () => {
    const ends = new Ends();
    for (let n = 0; n < 100; n++) ends.add([end(2 * n), end(2 * n + 1)], 2_000_000);
    const kept = Array.from({ length: 200 }, (_, n) => n).filter((n) => ends.get(end(n).task_id) !== undefined);
    expect(kept).toEqual(Array.from({ length: 63 }, (_, n) => 200 - 63 + n));
  });

  it('count once, however often they are told, and one is kept whatever its length', () => {
    const ends = new Ends();
    for (let n = 0; n < 100; n++) ends.add([end(1)], 1_000_000);
    ends.add([end(2)], 1_000_000);
    expect(ends.get(end(1).task_id)).toEqual(end(1));
    ends.add([end(3)], 100_000_000);
    expect([1, 2, 3].map((n) => ends.get(end(n).task_id)?.result ?? null)).toEqual([null, null, 3]);
    expect(ends.isEmpty).toBe(false);
  });
});
