import type { TrainingSet } from '../../../kernels/gp/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';

/** Smooth targets of unlike units with a little noise, of arithmetic that IEEE 754 fixes. */
export function bumpyData(rows: number, dimension: number, outputs: number, seed: number): TrainingSet {
  const rng = new Rng(seed, 5);
  const inputs = Float64Array.from({ length: rows * dimension }, () => 4 * rng.uniform() - 2);
  const targets = Float64Array.from({ length: rows * outputs }, (_, i) => {
    const row = Math.floor(i / outputs);
    const k = i % outputs;
    let y = 0;
    for (let d = 0; d < dimension; d++) {
      const x = inputs[row * dimension + d]!;
      y += x / (1 + (k + 1) * x * x) + 0.1 * x * Math.abs(x);
    }
    return (1 + 30 * k) * (y + 0.05 * (2 * rng.uniform() - 1)) + 100 * k;
  });
  return { inputs, targets, rows, dimension, outputs };
}
