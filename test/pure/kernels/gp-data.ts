import { readFile } from 'node:fs/promises';
import type { Covariance, Hyperparameters, TrainingSet } from '../../../kernels/gp/index.ts';

export interface GoldenCase extends Hyperparameters {
  readonly name: string;
  readonly covariance: Covariance;
  readonly rows: number;
  readonly dimension: number;
  readonly inputs: number[];
  readonly targets: number[];
  readonly logMarginalLikelihood: number;
  readonly gradient: number[];
  readonly queries: number[];
  readonly mean: number[];
  readonly std: number[];
  readonly stdWithNoise: number[];
  readonly optimisedLogMarginalLikelihood: number;
}

export async function goldenCases(): Promise<GoldenCase[]> {
  const text = await readFile(new URL('../golden/gp/scikit-learn.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { cases: GoldenCase[] }).cases;
}

export const trainingSet = ({ inputs, targets, rows, dimension }: GoldenCase): TrainingSet => ({
  inputs: Float64Array.from(inputs),
  targets: Float64Array.from(targets),
  rows,
  dimension,
  outputs: 1,
});

export const rowsOf = (values: ArrayLike<number>, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, row) =>
    Array.from({ length: columns }, (__, d) => values[row * columns + d]!),
  );
