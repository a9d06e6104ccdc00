import { Rng } from '../../../kernels/rng/index.ts';

/** `count` numbers drawn uniformly from [low, high). */
export function uniform(count: number, low: number, high: number, seed: number): Float64Array {
  const rng = new Rng(seed, 9);
  return Float64Array.from({ length: count }, () => low + (high - low) * rng.uniform());
}

/** A table of N×D inputs from [−1, 1) and N×K smooth targets of unlike units, by arithmetic that IEEE 754 fixes. */
export function table(rows: number, dimension: number, outputs: number, seed: number) {
  const inputs = uniform(rows * dimension, -1, 1, seed);
  const targets = Float64Array.from({ length: rows * outputs }, (_, index) => {
    const [row, k] = [Math.floor(index / outputs), index % outputs];
    const x = inputs.subarray(row * dimension, (row + 1) * dimension);
    const y = x.reduce((sum, value, j) => sum + value * (1 - value * (x[(j + 1 + k) % dimension] ?? 0)), 0);
    return (1 + k) * 100 * y - 7;
  });
  return { inputs, targets, rows, dimension, outputs };
}
