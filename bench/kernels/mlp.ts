import { MlpTrainer } from '#kernels/mlp';
import type { TrainingSet } from '#kernels/mlp';
import { Rng } from '#kernels/rng';
import { median } from '../lib/line.ts';
import { cpuSeconds } from './clock.ts';

/** Regression to one target by two hidden relu layers of one width, with Adam. */
export interface MlpWorkload {
  readonly name: string;
  readonly rows: number;
  readonly dimension: number;
  readonly width: number;
  readonly batchSize: number;
  readonly epochs: number;
}

export const mlpWorkloads: readonly MlpWorkload[] = [
  { name: 'small', rows: 500, dimension: 8, width: 64, batchSize: 32, epochs: 200 },
  { name: 'medium', rows: 2000, dimension: 16, width: 128, batchSize: 64, epochs: 200 },
  { name: 'large', rows: 10000, dimension: 32, width: 256, batchSize: 256, epochs: 100 },
];

/** Rows of N(0, I) with a smooth target and some noise. */
export function mlpTable({ rows, dimension }: MlpWorkload): TrainingSet {
  const rng = new Rng(0);
  const inputs = Float64Array.from({ length: rows * dimension }, () => rng.normal());
  const targets = Float64Array.from({ length: rows }, (_, row) => {
    const x = inputs.subarray(row * dimension, (row + 1) * dimension);
    return x.reduce((sum, value, j) => sum + value * (x[(j + 1) % dimension] ?? 0), 0) + 0.1 * rng.normal();
  });
  return { inputs, targets, rows, dimension, outputs: 1 };
}

/** Processor seconds of one whole training, from the table to the last epoch: the median of `repeats`. */
export function mlpSeconds(module: WebAssembly.Module, workload: MlpWorkload, repeats: number): number {
  const table = mlpTable(workload);
  const { width, batchSize } = workload;
  const options = {
    hidden: [width, width],
    activation: 'relu',
    batchSize,
    learningRate: 1e-3,
    weightDecay: 1e-4,
    validationFraction: 0,
    patience: 0,
    seed: 0,
  } as const;
  const train = (epochs: number): number => {
    const begin = cpuSeconds();
    const trainer = MlpTrainer.create(module, table, { ...options, epochs });
    while (!trainer.done) trainer.step();
    return cpuSeconds() - begin;
  };
  train(Math.ceil(workload.epochs / 20));
  return median(Array.from({ length: repeats }, () => train(workload.epochs)));
}
