import { isObserved, type ObservedCandidate } from './observed.ts';
import type { CampaignCore, Candidate, ScaledPrediction } from './types.ts';

/** Imaginary predictions, neither too sure nor too unsure, that the calibration begins with. */
const priorCount = 5;
/** How much less each further prediction counts than the one after it: surrogates of long ago knew less. */
const decay = 0.95;
/** A single miss counts at most as ten standard deviations, so that one outlier does not blow up all intervals. */
const largestZ2 = 100;
/** A spread below this share of the value is rounding. */
const smallestShare = 1e-12;

export type Predicted = ObservedCandidate & { readonly prediction: ScaledPrediction };

/** Candidates that were predicted before they were observed. */
export function predictedOf(candidates: readonly Candidate[]): Predicted[] {
  return candidates.filter(
    (candidate): candidate is Predicted => isObserved(candidate) && candidate.prediction !== null,
  );
}

/**
 * For each objective, by how much the spread of the ensemble must be multiplied to be a standard deviation: the root mean square of (error /
 * spread) over what has been predicted and then observed. Members of an ensemble agree too much where they have learnt little, and how
 * much too much shows only in their errors; with the factor, exploration goes on for as long as the surrogate is wrong.
 */
export function stdScales({ spec, candidates }: Pick<CampaignCore, 'spec' | 'candidates'>): number[] {
  const predicted = predictedOf(candidates);
  return spec.objectives.map((_, k) => {
    let sum = 0;
    let count = 0;
    for (const { prediction, outcome } of predicted) {
      const value = outcome.values[k] ?? NaN;
      const spread = (prediction.std[k] ?? NaN) / (prediction.scale[k] ?? 1);
      const z = (value - (prediction.mean[k] ?? NaN)) / Math.max(spread, smallestShare * (Math.abs(value) || 1));
      sum = decay * sum + Math.min(z * z, largestZ2);
      count = decay * count + 1;
    }
    return Math.sqrt((priorCount + sum) / (priorCount + count));
  });
}
