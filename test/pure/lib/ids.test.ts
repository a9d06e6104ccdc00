import { describe, expect, it } from 'vitest';
import { taskIdSchema, type TaskId } from '#protocol';
import { firstIdAt, idTimeMs, SortableIds } from '../../../edge/lib/ids.ts';
import { StillClock } from './fakes.ts';

describe('sortable ids', () => {
  it('grow even within one millisecond, and when the clock steps back', () => {
    const clock = new StillClock();
    const ids = new SortableIds(clock);
    const made = Array.from({ length: 1000 }, (_, index) => {
      if (index === 500) clock.nowMs -= 10_000;
      return ids.next();
    });
    expect([...made].sort()).toEqual(made);
    expect(new Set(made).size).toBe(1000);
  });

  it('count on through full bytes', () => {
    const clock = new StillClock();
    clock.randomBytes = (count) => new Uint8Array(count).fill(255);
    const ids = new SortableIds(clock);
    const [first, second] = [ids.next(), ids.next()];
    expect(second > first).toBe(true);
    expect(taskIdSchema.safeParse(`0-${second}`).success).toBe(true);
  });

  it('tell when they were made', () => {
    const clock = new StillClock();
    clock.nowMs = 1_790_000_123_456;
    const id = `12-${new SortableIds(clock).next()}` as TaskId;
    expect(idTimeMs(id)).toBe(1_790_000_123_456);
    expect(firstIdAt(12, 1_790_000_123_456) <= id).toBe(true);
    expect(firstIdAt(12, 1_790_000_123_457) > id).toBe(true);
  });
});
