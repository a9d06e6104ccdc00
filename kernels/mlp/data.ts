import { Rng } from '../rng/index.ts';
import type { TrainingSet } from './contract.ts';
import type { MlpOptions } from './options.ts';

const SPLIT_STREAM = 1;

/** A column whose deviation is below this part of its largest magnitude is rounding noise around a constant. */
const CONSTANT_BELOW = 1e-12;

/** Standardised values are held within these bounds, so that a wild validation row cannot overflow. */
const MAX_STANDARDISED = 1e6;

/** z = (x − mean)/scale, column by column. */
export interface Scaling {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

/** Which rows train and which are kept aside, both in ascending order. */
export interface Split {
  readonly training: Uint32Array;
  readonly validation: Uint32Array;
}

export function splitRows(rows: number, { validationFraction, seed }: MlpOptions): Split {
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  const held = Math.floor(rows * validationFraction);
  if (held === 0) return { training: order, validation: new Uint32Array(0) };
  new Rng(seed, SPLIT_STREAM).shuffle(order);
  return { training: order.slice(held).sort(), validation: order.slice(0, held).sort() };
}

/** Mean and population standard deviation of each column over the given rows; a constant column has the scale 1. */
export function fitScaling(table: Float64Array, columns: number, rows: Uint32Array): Scaling {
  const mean = new Float64Array(columns);
  const scale = new Float64Array(columns);
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    let largest = 0;
    for (const row of rows) {
      const value = table[row * columns + column] ?? 0;
      sum += value;
      largest = Math.max(largest, Math.abs(value));
    }
    const average = sum / rows.length;
    let squares = 0;
    for (const row of rows) {
      const difference = (table[row * columns + column] ?? 0) - average;
      squares += difference * difference;
    }
    const deviation = Math.sqrt(squares / rows.length);
    mean[column] = average;
    scale[column] = deviation > CONSTANT_BELOW * largest ? deviation : 1;
  }
  return { mean, scale };
}

const unscaled = (columns: number): Scaling => ({
  mean: new Float64Array(columns),
  scale: new Float64Array(columns).fill(1),
});

/** Writes the standardised table to `out`, whose rows are `stride` numbers apart. */
export function standardise(
  table: Float64Array,
  scaling: Scaling,
  out: Float32Array | Float64Array,
  stride: number,
): void {
  const columns = scaling.mean.length;
  const rows = table.length / columns;
  for (let column = 0; column < columns; column++) {
    const mean = scaling.mean[column] ?? 0;
    const scale = scaling.scale[column] ?? 1;
    for (let row = 0; row < rows; row++) {
      const z = ((table[row * columns + column] ?? 0) - mean) / scale;
      out[row * stride + column] = Math.min(Math.max(z, -MAX_STANDARDISED), MAX_STANDARDISED);
    }
  }
}

/** What both versions start from: the split, and scalings fitted to the training rows alone. */
export interface Preparation {
  readonly split: Split;
  readonly inputs: Scaling;
  readonly targets: Scaling;
}

export function prepare(data: TrainingSet, options: MlpOptions): Preparation {
  const split = splitRows(data.rows, options);
  return {
    split,
    inputs: fitScaling(data.inputs, data.dimension, split.training),
    // Classes are not scaled.
    targets:
      data.classes === undefined ? fitScaling(data.targets, data.outputs, split.training) : unscaled(data.outputs),
  };
}
