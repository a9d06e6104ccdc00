import type { TrainingSet } from '../contract.ts';
import { prepare, standardise } from '../data.ts';
import type { Split } from '../data.ts';
import type { CheckedMlpOptions } from '../options.ts';

/** Where a member's rows are. */
export interface TablePlace {
  /** Index of its first number in `tables`. */
  readonly table: number;
  /** Index of its first row in `orders`. */
  readonly order: number;
  readonly trainingRows: number;
  readonly validationRows: number;
}

/** Rows of all members as train.wgsl reads them. */
export interface Tables {
  /** For each distinct split N rows of D inputs and K targets, standardised as in WASM, to the bit. */
  readonly tables: Float32Array<ArrayBuffer>;
  /** For each member its training rows, its validation rows, and room for the former in shuffled order. */
  readonly orders: Uint32Array<ArrayBuffer>;
  readonly places: readonly TablePlace[];
}

/** Equal for members whose rows are split alike, and thus scaled alike. */
function splitKey(rows: number, { validationFraction, seed }: CheckedMlpOptions): string {
  const held = Math.floor(rows * validationFraction);
  return held === 0 ? 'all' : `${held} of ${seed}`;
}

export function makeTables(data: TrainingSet, members: readonly CheckedMlpOptions[]): Tables {
  const numbers = data.rows * (data.dimension + data.outputs);
  const keys = members.map((options) => splitKey(data.rows, options));
  const tables = new Float32Array(new Set(keys).size * numbers);
  const known = new Map<string, { split: Split; table: number }>();
  const places: TablePlace[] = [];
  const rows: Uint32Array[] = [];
  let order = 0;
  members.forEach((options, m) => {
    const key = keys[m] ?? '';
    const made = known.get(key) ?? fillTable(data, options, tables, known.size * numbers);
    known.set(key, made);
    const { training, validation } = made.split;
    places.push({ table: made.table, order, trainingRows: training.length, validationRows: validation.length });
    rows.push(training, validation, training);
    order += 2 * training.length + validation.length;
  });
  const orders = new Uint32Array(order);
  let next = 0;
  for (const part of rows) {
    orders.set(part, next);
    next += part.length;
  }
  return { tables, orders, places };
}

function fillTable(
  data: TrainingSet,
  options: CheckedMlpOptions,
  tables: Float32Array,
  table: number,
): { split: Split; table: number } {
  const { split, inputs, targets } = prepare(data, options);
  const stride = data.dimension + data.outputs;
  standardise(data.inputs, inputs, tables.subarray(table), stride);
  standardise(data.targets, targets, tables.subarray(table + data.dimension), stride);
  return { split, table };
}
