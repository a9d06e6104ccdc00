import { KernelInputError, requireFiniteArray } from '../runtime/index.ts';

/** One way to make a single number, to be minimised, of several objectives. */
export interface Scalarization {
  readonly goals: readonly ('max' | 'min')[];
  /** How much each objective counts, ≥ 0; they sum to 1. */
  readonly weights: readonly number[];
  /** The best value of each objective, which becomes 0 … */
  readonly ideal: readonly number[];
  /** … and the worst, which becomes 1. */
  readonly nadir: readonly number[];
}

/** ρ: how much the sum counts beside the largest term, so that weakly dominated points lose. */
const AUGMENTATION = 0.05;

/**
 * Augmented Tchebycheff function max_k w_k·z_k + ρ·Σ w_k·z_k of objectives scaled to 0 (ideal) … 1 (nadir); smaller is better. With weights drawn
 * anew for each proposal its optima cover the whole front, convex or not (Knowles, ParEGO, IEEE Trans. Evol. Comput. 10, 2006, eq. 2).
 *
 * @throws KernelInputError unless all lists have one entry for each objective.
 */
export function scalarizer(scalarization: Scalarization): (values: ArrayLike<number>) => number {
  const { goals, weights, ideal, nadir } = scalarization;
  const objectives = goals.length;
  if (objectives < 1) throw new KernelInputError('scalarization.goals', 'one goal for each objective', goals);
  requireFiniteArray('scalarization.weights', weights, objectives);
  requireFiniteArray('scalarization.ideal', ideal, objectives);
  requireFiniteArray('scalarization.nadir', nadir, objectives);
  return (values) => {
    let largest = -Infinity;
    let sum = 0;
    for (let k = 0; k < objectives; k++) {
      const range = (nadir[k] ?? 0) - (ideal[k] ?? 0);
      const scaled = ((values[k] ?? NaN) - (ideal[k] ?? 0)) / (range === 0 ? (goals[k] === 'max' ? -1 : 1) : range);
      const term = (weights[k] ?? 0) * scaled;
      largest = Math.max(largest, term);
      sum += term;
    }
    return largest + AUGMENTATION * sum;
  };
}
