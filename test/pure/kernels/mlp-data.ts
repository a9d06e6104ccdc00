import { Rng } from '../../../kernels/rng/index.ts';
import type { MlpOptions, TrainingSet } from '../../../kernels/mlp/index.ts';

export const defaults: MlpOptions = {
  hidden: [16, 16],
  activation: 'relu',
  epochs: 20,
  batchSize: 16,
  learningRate: 0.01,
  weightDecay: 1e-3,
  validationFraction: 0.2,
  patience: 0,
  seed: 42,
};

/**
 * Rows drawn uniformly from [−1, 1]ᴰ with smooth targets of unlike units. Only arithmetic that IEEE 754 fixes, so that every
 * engine gets the same table.
 */
export function smoothData(rows: number, dimension: number, outputs: number, seed: number): TrainingSet {
  const rng = new Rng(seed, 9);
  const inputs = Float64Array.from({ length: rows * dimension }, () => 2 * rng.uniform() - 1);
  const targets = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < outputs; k++) {
      let y = 0;
      for (let j = 0; j < dimension; j++) {
        const x = inputs[row * dimension + j]!;
        const next = inputs[row * dimension + ((j + 1 + k) % dimension)]!;
        y += x * (1 - x * next) + Math.abs(next);
      }
      targets[row * outputs + k] = (1 + k) * 100 * y - 7;
    }
  }
  return { inputs, targets, rows, dimension, outputs };
}

/** Rows of `smoothData` whose class is the part of its range that the first target falls into; all parts are equally wide. */
export function classData(rows: number, dimension: number, classes: number, seed: number): TrainingSet {
  const { inputs, targets } = smoothData(rows, dimension, 1, seed);
  const lowest = Math.min(...targets);
  const width = (Math.max(...targets) - lowest) / classes || 1;
  const labels = targets.map((y) => Math.min(Math.floor((y - lowest) / width), classes - 1));
  return { inputs, targets: labels, rows, dimension, outputs: 1, classes };
}
