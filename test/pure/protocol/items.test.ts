import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gridItem, gridLength, rangeItem, rangeLength, type Range } from '#protocol';

function rangeOf(range: Range): number[] {
  return Array.from({ length: rangeLength(range) }, (_, index) => rangeItem(range, index));
}

it('a range has the numbers that Python’s has', () => {
  expect(rangeOf([0, 3])).toEqual([0, 1, 2]);
  expect(rangeOf([1, 8, 3])).toEqual([1, 4, 7]);
  expect(rangeOf([5, 0, -2])).toEqual([5, 3, 1]);
  expect(rangeOf([3, 3])).toEqual([]);
  expect(rangeOf([3, 0])).toEqual([]);
});

it('a grid has every combination once, the last name varying fastest', () => {
  const grid = { a: [1, 2], b: ['x', null, 'z'] };
  const items = Array.from({ length: gridLength(grid) }, (_, index) => gridItem(grid, index));
  expect(items.slice(0, 4)).toEqual([
    { a: 1, b: 'x' },
    { a: 1, b: null },
    { a: 1, b: 'z' },
    { a: 2, b: 'x' },
  ]);
  expect(items).toHaveLength(6);
  const seeds = { seed: { range: [1, 1_000_001] as [number, number] }, a: [1, 2] };
  expect(gridLength(seeds)).toBe(2_000_000);
  expect(gridItem(seeds, 1_999_998)).toEqual({ seed: 1_000_000, a: 1 });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 4 })), (any) => {
      const all = Array.from({ length: Math.min(256, gridLength(any)) }, (_, index) =>
        JSON.stringify(gridItem(any, index)),
      );
      expect(new Set(all).size).toBe(all.length);
    }),
  );
});
