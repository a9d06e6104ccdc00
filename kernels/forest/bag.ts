import { Rng } from '../rng/index.ts';
import { drawsPerTree } from './contract.ts';
import type { ForestOptions } from './contract.ts';

/** Trees have streams of their own, far from those of other kernels under the same seed. */
const FIRST_STREAM = 1_099_511_627_776;

/** The stream of a tree, at its beginning. */
export const treeRng = ({ seed }: ForestOptions, tree: number): Rng => new Rng(seed, FIRST_STREAM + tree);

/** How often each row is in the bag of a tree; takes the numbers from the beginning of its stream. */
export function drawCounts(options: ForestOptions, rows: number, rng: Rng): Uint32Array {
  const draws = drawsPerTree(options, rows);
  const counts = new Uint32Array(rows);
  if (draws === 0) return counts.fill(1);
  for (let i = 0; i < draws; i++) {
    const row = rng.integer(rows);
    counts[row] = (counts[row] ?? 0) + 1;
  }
  return counts;
}
