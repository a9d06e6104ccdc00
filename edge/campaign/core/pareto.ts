import { front, hypervolume } from '#kernels/pareto';
import type { CampaignSpec } from '#protocol';
import { isObserved, observedOf, type ObservedCandidate } from './observed.ts';
import type { CampaignCore } from './types.ts';

/** Above it the hypervolume of four and five objectives takes too long for an object that others wait for. */
const maxPointsOfMany = 300;

export interface Front {
  /** Observations that no other one dominates, in the order of candidates. */
  readonly members: readonly ObservedCandidate[];
  /** Null where there is none yet, or too many points for so many objectives. */
  readonly hypervolume: number | null;
  readonly reference: readonly number[];
  /** Whether candidates that came since the last front put something on it that was not there. */
  readonly improved: boolean;
}

/**
 * The Pareto front of all observations; of one objective, the best. It is made of the last front and of what came since, so that its cost does not
 * grow with the campaign. The hypervolume’s reference is the objective’s own, or the worst value observed.
 */
export function frontOf(state: CampaignCore): Front {
  const { spec, candidates, considered } = state;
  const before = state.front.flatMap((index) => observedOf(candidates.slice(index, index + 1)));
  const contenders = [...before, ...observedOf(candidates.slice(considered))];
  const directions = spec.objectives.map(({ goal }) => goal);
  const positions = front(
    contenders.map(({ outcome }) => outcome.values),
    directions,
  );
  const members = positions.flatMap((position) => contenders[position] ?? []);
  const known = new Set(before.map(({ outcome }) => outcome.values.join()));
  const reference = referenceOf(state);
  return {
    members,
    hypervolume: volumeOf(spec, members, reference),
    reference,
    improved: members.some(({ outcome }) => !known.has(outcome.values.join())),
  };
}

function volumeOf(
  spec: CampaignSpec,
  members: readonly ObservedCandidate[],
  reference: readonly number[],
): number | null {
  const directions = spec.objectives.map(({ goal }) => goal);
  if (members.length === 0 || (directions.length > 3 && members.length > maxPointsOfMany)) return null;
  const points = members.map(({ outcome }) => outcome.values);
  return hypervolume(points, reference, directions);
}

function referenceOf({ spec, candidates }: CampaignCore): number[] {
  return spec.objectives.map(({ goal, reference }, k) => {
    if (reference !== undefined) return reference;
    const [start, worse] = goal === 'max' ? [Infinity, Math.min] : [-Infinity, Math.max];
    let worst = start;
    for (const candidate of candidates) {
      if (isObserved(candidate)) worst = worse(worst, candidate.outcome.values[k] ?? worst);
    }
    return worst;
  });
}
