import { numericColumns, parseCsv, rowKey, rowOf } from '#kernels/csv';
import type { Kwargs } from '#catalog';
import type { CandidateValues, TaskContext } from '../body.ts';
import { invalidInput, within } from '../faults.ts';
import { inputNames, valuesOf } from './candidates.ts';

/** What a table says of each candidate; null for one that it does not have. */
export interface TableAnswer {
  readonly values: (CandidateValues | null)[];
  readonly failed: { index: number; error: string }[];
}

/** Looks candidates up by equal numbers. Rows with equal inputs are repetitions of one experiment: their mean is its value. */
export async function evaluateByTable(
  { files }: TaskContext,
  kwargs: Kwargs<'evaluate_candidates'>,
  path: string,
): Promise<TableAnswer> {
  const bytes = await files.read(path);
  const table = within(path, () => parseCsv(bytes));
  const inputs = inputNames(kwargs, table.header);
  const objectives = kwargs.objectives ?? table.header.filter((name) => !inputs.includes(name));
  if (objectives.length === 0) throw invalidInput(path, 'no column is left for the objectives');
  const keys = within(path, () => numericColumns(table, inputs));
  const outcomes = within(path, () => numericColumns(table, objectives));
  const sums = new Map<string, { count: number; sum: number[] }>();
  for (let row = 0; row < keys.rows; row++) {
    const key = rowKey(rowOf(keys, row));
    const entry = sums.get(key) ?? { count: 0, sum: objectives.map(() => 0) };
    entry.count++;
    rowOf(outcomes, row).forEach((value, k) => {
      entry.sum[k] = (entry.sum[k] ?? 0) + value;
    });
    sums.set(key, entry);
  }
  const failed: TableAnswer['failed'] = [];
  const values = kwargs.candidates.map((candidate, index) => {
    const point = valuesOf(candidate, inputs, index);
    const entry = sums.get(rowKey(point));
    if (entry !== undefined) {
      return Object.fromEntries(objectives.map((name, k) => [name, (entry.sum[k] ?? NaN) / entry.count]));
    }
    const description = inputs.map((name, k) => `${name} = ${point[k] ?? NaN}`).join(', ');
    failed.push({ index, error: `${path} has no row with ${description}` });
    return null;
  });
  return { values, failed };
}
