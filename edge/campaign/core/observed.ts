import type { CampaignSpec } from '#protocol';
import type { Candidate } from './types.ts';

export interface ObservedCandidate extends Candidate {
  readonly outcome: { readonly type: 'observed'; readonly values: readonly number[] };
}

export function isObserved(candidate: Candidate): candidate is ObservedCandidate {
  return candidate.outcome.type === 'observed';
}

/** What models learn from, in the order of candidates. */
export function observedOf(candidates: readonly Candidate[]): ObservedCandidate[] {
  return candidates.filter(isObserved);
}

/** Evaluations that the budget pays for, with those that failed; what was given from outside is free. */
export function evaluatedCount(candidates: readonly Candidate[]): number {
  return candidates.filter(({ origin, outcome }) => origin !== 'given' && outcome.type !== 'pending').length;
}

/** True when `a` is better than `b` in the first objective. */
function isBetter({ objectives }: CampaignSpec, a: number, b: number): boolean {
  return objectives[0]?.goal === 'min' ? a < b : a > b;
}

/** The observation that is best in the first objective; of equal ones the first. */
export function bestOf(spec: CampaignSpec, candidates: readonly Candidate[]): ObservedCandidate | null {
  let best: ObservedCandidate | null = null;
  for (const candidate of observedOf(candidates)) {
    if (best === null || isBetter(spec, valueOf(candidate), valueOf(best))) best = candidate;
  }
  return best;
}

/** The first objective’s value. */
export function valueOf({ outcome }: ObservedCandidate): number {
  return outcome.values[0] ?? NaN;
}

/** Values by name, as the API shows them. */
export function named(names: readonly string[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, k) => [name, values[k] ?? NaN]));
}

export function objectiveNames({ objectives }: CampaignSpec): string[] {
  return objectives.map(({ name }) => name);
}
