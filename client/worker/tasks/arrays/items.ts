import { lengthOf, type Stretch } from '#catalog';
import { parseCsv } from '#kernels/csv';
import { cellValue, gridItem, rangeItem, recordFormatOf, type Json } from '#protocol';
import type { TaskContext } from '../body.ts';
import { invalidInput, within } from '../faults.ts';

/**
 * The items of a stretch of an array.
 *
 * @throws TabgridError as `FileAccess.records` does; `invalid_input` for what is no JSON, or no CSV.
 */
export async function readItems({ files }: TaskContext, items: Stretch): Promise<readonly Json[]> {
  if (Array.isArray(items)) return items;
  const count = lengthOf(items);
  if ('range' in items) return Array.from({ length: count }, (_, k) => rangeItem(items.range, k));
  if ('grid' in items) return Array.from({ length: count }, (_, k) => gridItem(items.grid, items.from + k));
  const bytes = await files.records(items.file, items);
  return recordFormatOf(items.file) === 'csv' ? rowsOf(bytes, items) : linesOf(bytes, items);
}

interface Place {
  readonly file: string;
  readonly from: number;
}

function rowsOf(bytes: Uint8Array, { file, from }: Place): Json[] {
  const { header, rows } = within(`${file} from item ${from} on`, () => parseCsv(bytes));
  return rows.map((row) =>
    Object.fromEntries(
      header.flatMap((name, k) => {
        const value = cellValue(row[k] ?? '');
        return value === undefined ? [] : [[name, value]];
      }),
    ),
  );
}

function linesOf(bytes: Uint8Array, { file, from }: Place): Json[] {
  const lines = new TextDecoder().decode(bytes).split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .map((line, k) => {
      try {
        return JSON.parse(line) as Json;
      } catch {
        throw invalidInput(`${file}, item ${from + k}`, 'expected one JSON value on the line');
      }
    });
}
