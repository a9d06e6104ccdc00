/** Where a command writes. Results go to standard output, everything else to standard error. */
export interface Output {
  /** True when results are JSON, one value a line. */
  readonly json: boolean;
  /** Prints a result: `value` as JSON, or `text` for people. */
  result(value: unknown, text: () => string): void;
  /** Tells a person something beside the result; silent when results are JSON. */
  note(text: string): void;
}

export function createOutput(json = false): Output {
  return {
    json,
    result: (value, text) => console.log(json ? JSON.stringify(value) : text()),
    note: (text) => {
      if (!json) console.error(text);
    },
  };
}

type Cell = string | number;

/** A line for each item, under the columns’ headings; each is as wide as its widest cell, with numbers to the right. */
export function table<Item>(items: readonly Item[], columns: Readonly<Record<string, (item: Item) => Cell>>): string {
  const headings = Object.keys(columns);
  const rows = items.map((item) => Object.values(columns).map((cellOf) => cellOf(item)));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => String(row[column] ?? '').length)),
  );
  const line = (cells: readonly Cell[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return [line(headings), ...rows.map(line)].join('\n');
}

/** A short form of a number for people: four significant digits. */
export function short(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** `{ n: 9, r: 2.35 }` as `n 9 · r 2.35`. */
export function listValues(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(' · ');
}
