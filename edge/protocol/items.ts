import { z } from 'zod';
import { jsonSchema, type Json, type JsonObject } from './json.ts';
import { limits } from './limits.ts';

/** Items that are reckoned instead of stored: Python’s range, and every combination of lists. */

const step = z.int().refine((value) => value !== 0, 'expected a step that is not 0');

/** From, to (exclusive), step (1). */
export const rangeSchema = z.union([z.tuple([z.int(), z.int()]), z.tuple([z.int(), z.int(), step])]);
export type Range = z.infer<typeof rangeSchema>;

/** Values by name: a list, or a range. */
export const gridSchema = z.record(
  z.string(),
  z.union([z.array(jsonSchema).min(1).max(limits.maxInlineItems), z.strictObject({ range: rangeSchema })]),
);
export type Grid = z.infer<typeof gridSchema>;
type Values = Grid[string];

export function rangeLength([from, to, step = 1]: Range): number {
  return Math.max(0, Math.ceil((to - from) / step));
}

/** @param index 0 … rangeLength − 1 */
export function rangeItem([from, , step = 1]: Range, index: number): number {
  return from + index * step;
}

/** How many combinations there are; Infinity where no number holds it. */
export function gridLength(grid: Grid): number {
  return Object.values(grid).reduce((product, values) => product * lengthOf(values), 1);
}

/** One combination; the last name varies fastest. @param index 0 … gridLength − 1 */
export function gridItem(grid: Grid, index: number): JsonObject {
  const members: [string, Json][] = [];
  let rest = index;
  for (const [name, values] of Object.entries(grid).reverse()) {
    const length = lengthOf(values);
    members.unshift([name, valueAt(values, rest % length)]);
    rest = Math.floor(rest / length);
  }
  return Object.fromEntries(members);
}

function lengthOf(values: Values): number {
  return Array.isArray(values) ? values.length : rangeLength(values.range);
}

function valueAt(values: Values, index: number): Json {
  return Array.isArray(values) ? (values[index] ?? null) : rangeItem(values.range, index);
}
