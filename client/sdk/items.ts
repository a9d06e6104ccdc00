import type { Json } from '#protocol';

declare const each: unique symbol;

/** Items that are not listed: what each of them is, only the compiler knows. */
export type Described<Item> = (
  | { range: [number, number, number] }
  | { file: string }
  | { grid: Record<string, Json[] | { range: [number, number, number] }> }
) & {
  readonly [each]?: () => Item;
};

/** What an array runs over: a list of at most 1,000, or more by description. */
export type Items<Item> = readonly Item[] | Described<Item>;

/** Python’s range: `range(to)`, `range(from, to)` or `range(from, to, step)`; `to` is exclusive. */
export function range(
  fromOrTo: number,
  to?: number,
  step = 1,
): Described<number> & { range: [number, number, number] } {
  return { range: to === undefined ? [0, fromOrTo, step] : [fromOrTo, to, step] };
}

type ValueOf<Values> = Values extends readonly (infer Value)[] ? Value : number;

/** Every combination of keyword arguments, each from a list or a range; the last name varies fastest. */
export function parameterGrid<
  const Values extends Readonly<Record<string, readonly unknown[] | ReturnType<typeof range>>>,
>(values: Values): Described<{ -readonly [Name in keyof Values]: ValueOf<Values[Name]> }> {
  return { grid: values as unknown as Record<string, Json[]> };
}

/**
 * The items of a file of the grid: of a `.csv` one object a row, numbers where a cell is one, nothing where it is empty; of a `.ndjson` or `.jsonl` one
 * JSON value a line. What they are is for the caller to say.
 */
export function file<Item>(path: string): Described<Item> {
  return { file: path };
}
