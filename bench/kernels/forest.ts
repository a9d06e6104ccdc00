import { math, instantiate } from '#kernels';
import { ForestPredictor, ForestTrainer } from '#kernels/forest';
import type { ForestData } from '#kernels/forest';
import { Rng } from '#kernels/rng';
import { r2 } from '#kernels/validation';
import { cpuSeconds } from './clock.ts';

/** Regression by random forests on Friedman's first function. */
export interface ForestWorkload {
  readonly name: string;
  /** Rows to learn from, and rows to judge by. */
  readonly train: number;
  readonly test: number;
  readonly dimension: number;
  readonly trees: number;
  readonly depth: number;
  /** Share of the features that are looked at for a split; null for all. */
  readonly maxFeatures: number | null;
}

const friedman = { train: 10_000, test: 2500, dimension: 20, trees: 100, depth: 20 };

export const forestWorkloads: readonly ForestWorkload[] = [
  { name: 'all features', ...friedman, maxFeatures: null },
  { name: 'a third of the features', ...friedman, maxFeatures: 1 / 3 },
];

/**
 * Rows to learn from, then rows to judge by: D uniform inputs and 10 sin(π x₁x₂) + 20 (x₃ − ½)² + 10 x₄ + 5 x₅ + N(0, 1).
 * Friedman, Multivariate adaptive regression splines, Annals of Statistics 19 (1991).
 */
export function forestTable(
  module: WebAssembly.Module,
  { train, test, dimension }: Pick<ForestWorkload, 'train' | 'test' | 'dimension'>,
): ForestData {
  const f = math(instantiate(module));
  const rng = new Rng(0);
  const rows = train + test;
  const inputs = Float64Array.from({ length: rows * dimension }, () => rng.uniform());
  const targets = Float64Array.from({ length: rows }, (_, row) => {
    const [x1 = 0, x2 = 0, x3 = 0, x4 = 0, x5 = 0] = inputs.subarray(row * dimension, row * dimension + 5);
    const bend = x3 - 0.5;
    return 10 * f.sin(Math.PI * x1 * x2) + 20 * bend * bend + 10 * x4 + 5 * x5 + rng.normal();
  });
  return { inputs, targets, rows, dimension };
}

/** Rows `from` … `to` − 1 of a table. */
export function rowsOf({ inputs, targets, dimension }: ForestData, from: number, to: number): ForestData {
  return {
    inputs: inputs.slice(from * dimension, to * dimension),
    targets: targets.slice(from, to),
    rows: to - from,
    dimension,
  };
}

/** Processor seconds of growing one forest, from the table to the last tree, and its R² on the rows to judge by. */
export function forestFit(module: WebAssembly.Module, workload: ForestWorkload): { seconds: number; r2: number } {
  const table = forestTable(module, workload);
  const data = rowsOf(table, 0, workload.train);
  const test = rowsOf(table, workload.train, table.rows);
  const begin = cpuSeconds();
  const trainer = ForestTrainer.create(module, data, {
    nEstimators: workload.trees,
    maxDepth: workload.depth,
    maxFeatures: workload.maxFeatures,
    seed: 0,
  });
  while (!trainer.done) trainer.step();
  const seconds = cpuSeconds() - begin;
  const { mean } = new ForestPredictor(module, trainer.finish()).predict(test.inputs, test.rows);
  return { seconds, r2: r2(test.targets, mean) };
}
