import { KernelInputError, requireFiniteArray, requireInteger } from '../runtime/index.ts';

/** Numbers to learn from and to judge by: inputs N×D row-major, targets N; with `classes`, targets are 0 … classes − 1. */
export interface Table {
  readonly inputs: Float64Array;
  readonly targets: Float64Array;
  readonly rows: number;
  readonly dimension: number;
  readonly classes?: number;
}

/** What a fitted model says of rows×D inputs: a number for each row, or for classification the shares of `classes` classes. */
export type Predict = (inputs: Float64Array, rows: number) => Float64Array;

/** Anything that learns from a table, anew at each call of `fit`. */
export interface Estimator {
  fit(data: Table): Predict;
}

/** Rows that train and rows that are judged, both ascending. */
export interface Fold {
  readonly training: Uint32Array;
  readonly test: Uint32Array;
}

/** k folds of n rows. @throws KernelInputError unless 2 ≤ k ≤ n. */
export function checkFolds(rows: number, k: number): void {
  requireInteger('rows', rows, { min: 1 });
  requireInteger('k', k, { min: 2 });
  if (k > rows) throw new KernelInputError('k', `at most ${rows}, the number of rows`, k);
}

/** @throws KernelInputError naming the field, and the entry that is no number or no class. */
export function checkTable(table: Table): Table {
  const { inputs, targets, rows, dimension, classes } = table;
  requireInteger('rows', rows, { min: 1 });
  requireInteger('dimension', dimension, { min: 1 });
  requireFiniteArray('inputs', inputs, rows * dimension);
  requireFiniteArray('targets', targets, rows);
  if (classes === undefined) return table;
  requireInteger('classes', classes, { min: 1 });
  targets.forEach((target, row) => requireInteger(`targets[${row}]`, target, { min: 0, max: classes - 1 }));
  return table;
}

/** The given rows as a table of their own. */
export function selectRows(table: Table, rows: Uint32Array): Table {
  const { dimension } = table;
  const inputs = new Float64Array(rows.length * dimension);
  rows.forEach((row, i) => {
    inputs.set(table.inputs.subarray(row * dimension, (row + 1) * dimension), i * dimension);
  });
  const targets = Float64Array.from(rows, (row) => table.targets[row] ?? NaN);
  return { ...table, inputs, targets, rows: rows.length };
}
