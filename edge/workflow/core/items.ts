import { gridItem, gridLength, rangeItem, rangeLength, type Items, type Json } from '#protocol';
import type { ArrayPlan, FileItems } from './types.ts';

/** Items by their number, without a list of them. */

export type KnownItems = Exclude<Items, { file: string }> | FileItems;

/** May be over every limit, but is never wrong below 2⁵³. */
export function countOf(items: KnownItems): number {
  if (Array.isArray(items)) return items.length;
  if ('range' in items) return rangeLength(items.range);
  return 'grid' in items ? gridLength(items.grid) : items.count;
}

/** Undefined where it is only known to who reads the file. */
export function itemAt(items: KnownItems, index: number): Json | undefined {
  if (Array.isArray(items)) return items[index];
  if ('range' in items) return rangeItem(items.range, index);
  if ('grid' in items) return gridItem(items.grid, index);
  return index === 0 ? items.first : undefined;
}

/** The items of a range as its task gets them. @param to exclusive. */
export function stretchOf({ items }: Pick<ArrayPlan, 'items'>, from: number, to: number): Json {
  if (Array.isArray(items)) return items.slice(from, to);
  if ('range' in items) {
    const [, , step = 1] = items.range;
    return { range: [rangeItem(items.range, from), rangeItem(items.range, to), step] };
  }
  if ('grid' in items) return { grid: items.grid, from, to };
  return { file: items.path, sha256: items.sha256, from, to };
}
