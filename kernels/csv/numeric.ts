import { KernelInputError } from '../runtime/index.ts';
import { FIRST_DATA_ROW, type CsvTable } from './parse.ts';

/** Named columns of numbers. */
export interface NumericTable {
  readonly names: readonly string[];
  readonly rows: number;
  /** rows × names, row by row; all finite. */
  readonly values: Float64Array;
}

/** Larger numbers overflow in sums of squares, and no quantity that is measured needs them. */
export const maxMagnitude = 1e100;

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function cell(text: string, name: string, row: number): number {
  const trimmed = text.trim();
  const value = decimal.test(trimmed) ? Number(trimmed) : NaN;
  if (Math.abs(value) <= maxMagnitude) return value;
  const expected = Number.isFinite(value) ? `a magnitude up to ${maxMagnitude}` : 'a finite number';
  throw new KernelInputError(`row ${row + FIRST_DATA_ROW}, column ${JSON.stringify(name)}`, expected, text);
}

/**
 * The columns `names` of a table, as numbers, in that order.
 *
 * @throws KernelInputError naming a column that is missing, or the row (the header is row 1) and column of a cell that is no finite number.
 */
export function numericColumns(table: CsvTable, names: readonly string[]): NumericTable {
  const columns = names.map((name) => {
    const column = table.header.indexOf(name);
    if (column >= 0) return column;
    throw new KernelInputError(
      `column ${JSON.stringify(name)}`,
      `one of the columns ${table.header.map((header) => JSON.stringify(header)).join(', ')}`,
      'nothing',
    );
  });
  const values = new Float64Array(table.rows.length * names.length);
  table.rows.forEach((row, index) => {
    columns.forEach((column, k) => {
      values[index * names.length + k] = cell(row[column] ?? '', names[k] ?? '', index);
    });
  });
  return { names, rows: table.rows.length, values };
}

/** One row of a table, as a view. */
export function rowOf(table: NumericTable, row: number): Float64Array {
  return table.values.subarray(row * table.names.length, (row + 1) * table.names.length);
}

/** A text that is equal for rows of equal numbers only. 0 and −0 are equal. */
export function rowKey(row: Float64Array | readonly number[]): string {
  return row.join(',');
}

/** The rows of a table, those that are equal taken together. */
export interface Distinct {
  /** Number of the first row of each kind, ascending. */
  readonly first: readonly number[];
  /** For each row, the position of its kind in `first`. */
  readonly kind: Int32Array;
}

export function distinctRows(table: NumericTable): Distinct {
  const seen = new Map<string, number>();
  const first: number[] = [];
  const kind = new Int32Array(table.rows);
  for (let row = 0; row < table.rows; row++) {
    const key = rowKey(rowOf(table, row));
    let position = seen.get(key);
    if (position === undefined) {
      position = first.push(row) - 1;
      seen.set(key, position);
    }
    kind[row] = position;
  }
  return { first, kind };
}
