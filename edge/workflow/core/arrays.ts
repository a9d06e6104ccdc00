import type { ArrayPlan, ArrayState } from './types.ts';

/** What an array has under way: a window of ranges, which moves on as they finish. */

/** Ranges under way at once in the end, enough for a large fleet; to begin with few, so that an array is accepted at once. */
const maxWindow = 256;
const firstWindow = 8;

/** A range of `map` and `starmap` should take about so long: rows are few, and what is lost with a worker is little. */
const rangeMs = 3_000;
/** Towards the end ranges become smaller, so that no worker waits for another, but not so short. */
const shortestRangeMs = 100;
const maxRangeItems = 1_000;
/** Before anything is measured. */
const firstRangeItems = 10;
/** Results of a range together; a task’s result may have 1 MiB. */
const rangeBytes = 500_000;
/** What is left is never given out in fewer ranges than this. */
const fewestRanges = 16;

export const beginning: ArrayState = {
  cursor: 0,
  ranges: 0,
  open: [],
  window: firstWindow,
  done: { items: 0, runtimeMs: 0, bytes: 0 },
};

/** Items of the next range. */
export function nextRangeItems({ count, size }: Pick<ArrayPlan, 'count' | 'size'>, state: ArrayState): number {
  const left = count - state.cursor;
  if (size !== null) return Math.min(size, left);
  const { items, runtimeMs, bytes } = state.done;
  // Items may be slow: until that is known, each worker that could have one does.
  if (items === 0) return Math.min(firstRangeItems, Math.ceil(left / maxWindow));
  const share = Math.ceil(left / fewestRanges);
  const itemsWithin = (whole: number, part: number): number =>
    part === 0 ? Infinity : Math.floor((whole * items) / part);
  const most = Math.min(maxRangeItems, itemsWithin(rangeMs, runtimeMs), itemsWithin(rangeBytes, bytes));
  const least = Math.min(itemsWithin(shortestRangeMs, runtimeMs), most);
  return Math.min(Math.max(1, least, Math.min(most, share)), left);
}

export function mayWiden({ count }: Pick<ArrayPlan, 'count'>, { cursor, window }: ArrayState): boolean {
  return cursor < count && window < maxWindow;
}

/** Twice the window with each second that passes, a little more with each range that finishes. */
export function widened(state: ArrayState, by: 'time' | 'finish'): ArrayState {
  return { ...state, window: Math.min(maxWindow, by === 'time' ? 2 * state.window : state.window + 1) };
}

export function itemsOpen({ open }: ArrayState): number {
  return open.reduce((sum, { from, to }) => sum + to - from, 0);
}
