import { readFile } from 'node:fs/promises';
import { ForestTrainer } from '../../../kernels/forest/index.ts';
import type { ForestData, ForestModel, ForestOptions, Range } from '../../../kernels/forest/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';

/**
 * Rows with `levels` distinct values in each feature, so that ties abound when there are few, and targets of as many values
 * or classes.
 */
export function tiedData(rows: number, dimension: number, levels: number, seed: number, classes?: number): ForestData {
  const rng = new Rng(seed, 9);
  const inputs = Float64Array.from({ length: rows * dimension }, () => (rng.integer(levels) - levels / 3) * 0.37);
  const targets = Float64Array.from({ length: rows }, () =>
    classes === undefined ? rng.integer(levels) / 7 : rng.integer(classes),
  );
  return { inputs, targets, rows, dimension, ...(classes === undefined ? {} : { classes }) };
}

export function growForest(
  module: WebAssembly.Module,
  data: ForestData,
  options: Partial<ForestOptions>,
  range?: Range,
): ForestModel {
  const trainer = ForestTrainer.create(module, data, options, range);
  while (!trainer.done) trainer.step();
  return trainer.finish();
}

/** Rows `from` … `to` − 1 of columns-wide rows of inputs and a target. */
export function cut(table: Float64Array, columns: number, from: number, to: number): ForestData {
  const dimension = columns - 1;
  const inputs = new Float64Array((to - from) * dimension);
  const targets = new Float64Array(to - from);
  for (let row = from; row < to; row++) {
    inputs.set(table.subarray(row * columns, row * columns + dimension), (row - from) * dimension);
    targets[row - from] = table[row * columns + dimension]!;
  }
  return { inputs, targets, rows: to - from, dimension };
}

/** golden/forest/diabetes.f32: 442 rows of ten inputs and a target. */
export async function diabetes(): Promise<Float64Array> {
  const bytes = await readFile(new URL('../golden/forest/diabetes.f32', import.meta.url));
  return Float64Array.from(new Float32Array(new Uint8Array(bytes).buffer));
}

/** Friedman's first function on a Kronecker sequence, as in golden/forest/make.py: rows of ten inputs and a target. */
export function friedman(rows: number): Float64Array {
  const roots = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37].map(Math.sqrt);
  const table = Array.from({ length: rows }, (_, row) => {
    const u = roots.map((root) => ((row + 1) * root) % 1);
    const x = u.slice(0, 10);
    const y = 10 * Math.sin(Math.PI * x[0]! * x[1]!) + 20 * (x[2]! - 0.5) ** 2 + 10 * x[3]! + 5 * x[4]!;
    return [...x, y + 3 * (u[10]! + u[11]! - 1)];
  });
  return Float64Array.from(table.flat());
}
