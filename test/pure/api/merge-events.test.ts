import { describe, expect, it } from 'vitest';
import type { GridEvent } from '#protocol';
import { merged } from '../../../edge/api/merge-events.ts';

const log = (...times: number[]): GridEvent[] =>
  times.map((second, at) => ({ seq: at + 1, type: 'task-sent', time: `2030-01-01T00:00:0${second}.000Z` }));
const read = (...logs: GridEvent[][]): [number, string][] =>
  merged(logs).map(({ seq, time }) => [seq, time.slice(18, 19)]);

describe('events of several shards', () => {
  it('come by time', () => {
    expect(read(log(1, 4), log(), log(2, 3))).toEqual([
      [1, '1'],
      [1, '2'],
      [2, '3'],
      [2, '4'],
    ]);
  });

  it('stay in the order of their shard, though its clock went back', () => {
    expect(read(log(5, 1, 2), log(3))).toEqual([
      [1, '3'],
      [1, '5'],
      [2, '1'],
      [3, '2'],
    ]);
  });
});
