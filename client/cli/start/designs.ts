import { distinctRows, numericColumns, parseCsv, rowOf } from '#kernels/csv';
import type { Objective } from '#protocol';

/** What is known of a data set’s designs beforehand: against it a campaign’s finds are judged. */
export interface KnownDesigns {
  readonly count: number;
  /** Each design’s mean outcome, best first. */
  readonly ranked: readonly number[];
}

/** @param csv a table with the objective as one column, the inputs as the others; rows with equal inputs are repeated tests. */
export function knownDesigns(csv: Uint8Array, { name, goal }: Pick<Objective, 'name' | 'goal'>): KnownDesigns {
  const table = parseCsv(csv);
  const inputs = numericColumns(
    table,
    table.header.filter((column) => column !== name),
  );
  const outcomes = numericColumns(table, [name]);
  const { first, kind } = distinctRows(inputs);
  const tests = first.map((): number[] => []);
  kind.forEach((design, row) => tests[design]?.push(rowOf(outcomes, row)[0] ?? Number.NaN));
  const means = tests.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  return { count: means.length, ranked: means.sort((a, b) => (goal === 'max' ? b - a : a - b)) };
}

/** 1 for the best design. A value between two designs has the rank of the worse one, one above all has 1. */
export function rankOf(value: number, { ranked }: KnownDesigns, goal: Objective['goal']): number {
  // Means are sums in some order: what differs by rounding is the same design.
  const slack = 1e-9 * Math.abs(value);
  const better = ranked.filter((known) => (goal === 'max' ? known > value + slack : known < value - slack));
  return better.length + 1;
}
