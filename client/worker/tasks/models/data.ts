import { numericColumns, parseCsv, type NumericTable } from '#kernels/csv';
import { Rng } from '#kernels/rng';
import type { Kwargs } from '#catalog';
import type { TaskContext } from '../body.ts';
import { invalidInput, within } from '../faults.ts';
import type { InputStatistics } from './predictor.ts';

/** Beside the streams that members draw from, which have seeds of their own. */
const splitStream = 1_000_000_007;

/**
 * The columns `inputs`, then `targets`, of what a training task was given.
 *
 * @throws TabgridError `file_not_found`; `invalid_input` naming the file, row and column that does not fit.
 */
export async function readTrainingTable(
  { files }: TaskContext,
  { dataset_path: path, rows, inputs, targets }: Kwargs<'train_surrogate'>,
): Promise<NumericTable> {
  const names = [...inputs, ...targets];
  if (new Set(names).size < names.length) throw invalidInput('targets', 'a column is named twice');
  if (rows !== undefined) return { names, rows: rows.length, values: flatten(rows, names) };
  const place = path ?? '';
  const bytes = await files.read(place);
  const table = within(place, () => numericColumns(parseCsv(bytes), names));
  if (table.rows === 0) throw invalidInput(place, 'expected at least one row');
  return table;
}

function flatten(
  rows: readonly (Readonly<Record<string, number>> | readonly number[])[],
  names: readonly string[],
): Float64Array {
  const values = new Float64Array(rows.length * names.length);
  rows.forEach((row, index) => {
    if (isList(row) && row.length !== names.length) {
      throw invalidInput(
        `rows[${index}]`,
        `expected ${names.length} numbers (inputs, then targets), got ${row.length}`,
      );
    }
    names.forEach((name, k) => {
      const value = isList(row) ? row[k] : row[name];
      if (value === undefined) throw invalidInput(`rows[${index}]`, `expected a number called ${JSON.stringify(name)}`);
      values[index * names.length + k] = value;
    });
  });
  return values;
}

/** `Array.isArray` does not tell lists that are read only. */
function isList(row: Readonly<Record<string, number>> | readonly number[]): row is readonly number[] {
  return Array.isArray(row);
}

/** Rows to learn from, or to be judged by. */
export interface TrainingSet {
  /** N×D, row by row. */
  readonly inputs: Float64Array;
  /** N×K, row by row. */
  readonly targets: Float64Array;
  readonly rows: number;
  readonly dimension: number;
  readonly outputs: number;
}

export interface SplitTable {
  readonly training: TrainingSet;
  readonly heldOut: TrainingSet;
}

/** Keeps `fraction` of the rows aside, rounded down, at random; at least one is left. What is trained on the others never sees them. */
export function split(table: NumericTable, dimension: number, fraction: number, seed: number): SplitTable {
  const order = Uint32Array.from({ length: table.rows }, (_, row) => row);
  const held = Math.floor(table.rows * fraction);
  if (held > 0) new Rng(seed, splitStream).shuffle(order);
  return {
    training: select(table, dimension, order.slice(held).sort()),
    heldOut: select(table, dimension, order.slice(0, held).sort()),
  };
}

function select({ names, values }: NumericTable, dimension: number, rows: Uint32Array): TrainingSet {
  const outputs = names.length - dimension;
  const inputs = new Float64Array(rows.length * dimension);
  const targets = new Float64Array(rows.length * outputs);
  rows.forEach((row, i) => {
    const start = row * names.length;
    inputs.set(values.subarray(start, start + dimension), i * dimension);
    targets.set(values.subarray(start + dimension, start + names.length), i * outputs);
  });
  return { inputs, targets, rows: rows.length, dimension, outputs };
}

/** Mean and standard deviation of each input; 1 for one that never varies. */
export function inputStatistics({ inputs, rows, dimension }: TrainingSet): InputStatistics {
  const columns = Array.from({ length: dimension }, (_, d) =>
    Float64Array.from({ length: rows }, (_, row) => inputs[row * dimension + d] ?? NaN),
  );
  const each = columns.map((column) => {
    const mean = column.reduce((sum, value) => sum + value / rows, 0);
    const squares = column.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
    return { mean, scale: Math.sqrt(squares / rows) || 1 };
  });
  return { mean: each.map(({ mean }) => mean), scale: each.map(({ scale }) => scale) };
}
