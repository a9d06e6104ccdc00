import type { RunBlock } from './block.ts';

/** A look at a run between two generations. */
export interface Diagnostics {
  readonly iterations: number;
  readonly evaluations: number;
  /** Best value so far. */
  readonly fun: number;
  readonly sigma: number;
  /** √ of the condition number of C. */
  readonly axisRatio: number;
  /** √ of the eigenvalues of C when it was last decomposed, ascending; scales that have moved out of C are not in them. */
  readonly axes: Float64Array;
  /** Mean of the distribution. */
  readonly mean: Float64Array;
  /** Best point so far. */
  readonly x: Float64Array;
  /** Standard deviation by coordinate. */
  readonly stds: Float64Array;
}

interface Seen {
  readonly mean: Float64Array;
  readonly stds: Float64Array;
  readonly best: { readonly x: Float64Array; readonly fun: number };
}

export function diagnose(block: RunBlock, { mean, stds, best }: Seen): Diagnostics {
  const axes = block.part('axes').slice().sort();
  return {
    iterations: block.get('iterations'),
    evaluations: block.get('evaluations'),
    fun: best.fun,
    sigma: block.get('sigma'),
    axisRatio: (axes.at(-1) ?? NaN) / (axes[0] ?? NaN),
    axes,
    mean,
    x: best.x,
    stds,
  };
}
