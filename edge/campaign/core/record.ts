import type { CampaignIteration, JsonObject } from '#protocol';
import { stdScales } from './calibrate.ts';
import { bestOf, evaluatedCount, isObserved, named, objectiveNames, valueOf } from './observed.ts';
import { frontOf } from './pareto.ts';
import { kindOf } from './surrogate.ts';
import { prequential } from './validation.ts';
import type { CampaignCore, Candidate, IterationRecord } from './types.ts';

/** Failures in a row from the very beginning after which a campaign gives up, unless its initial design is larger. */
const hopelessCount = 10;

/** The state with a finished iteration, of the candidates from `from` until before `to`, in its history. */
export function recordIteration(
  state: CampaignCore,
  { from, to }: { readonly from: number; readonly to: number },
  nowMs: number,
): CampaignCore {
  const { candidates, iteration } = state;
  const front = frontOf(state);
  const proposedByModel = candidates.slice(from, to).some(({ origin }) => origin === 'surrogate');
  const record: IterationRecord = {
    iteration,
    evaluated: evaluatedCount(candidates),
    best: bestView(state),
    hypervolume: front.hypervolume,
    surrogate: proposedByModel ? { kind: kindOf(state.spec.surrogate), validation: validation(state) } : null,
    from,
    to,
    seconds: Math.max(0, nowMs - state.iterationStartedMs) / 1000,
  };
  return {
    ...state,
    iterations: [...state.iterations, record],
    front: front.members.map(({ index }) => index),
    considered: candidates.length,
    stale: front.improved || iteration === 0 ? 0 : state.stale + 1,
  };
}

/** How the surrogates have done so far; `std_scale` is what the next one’s standard deviations are multiplied by. */
function validation(state: CampaignCore): JsonObject {
  return { ...prequential(state.spec, state.candidates), std_scale: stdScales(state) };
}

/** Proposals of one iteration that are shown; the export has all. */
const maxShown = 100;

export function iterationView({ names, candidates }: CampaignCore, record: IterationRecord): CampaignIteration {
  const { from, to, ...iteration } = record;
  const shown = candidates.slice(from, Math.min(to, from + maxShown));
  return { ...iteration, proposed: shown.map(({ inputs }) => named(names, inputs)) };
}

export function bestView(state: CampaignCore): CampaignIteration['best'] {
  const best = bestOf(state.spec, state.candidates);
  if (best === null) return null;
  const { inputs, outcome } = best;
  return { inputs: named(state.names, inputs), values: named(objectiveNames(state.spec), outcome.values) };
}

/** Why a campaign ends after an iteration, in words; null while it goes on. */
export function reasonToEnd(state: CampaignCore): { state: 'SUCCESS' | 'FAILURE'; reason: string } | null {
  const { spec, candidates, stale } = state;
  const { target, patience } = spec.stop ?? {};
  const evaluated = evaluatedCount(candidates);
  const best = bestOf(spec, candidates);
  const [objective] = spec.objectives;
  if (best === null && evaluated >= Math.min(spec.budget, Math.max(spec.initial, hopelessCount))) {
    return {
      state: 'FAILURE',
      reason: `None of ${evaluated} evaluations succeeded. The last one: ${lastError(candidates)}`,
    };
  }
  if (best !== null && objective !== undefined && target !== undefined) {
    const value = valueOf(best);
    const relation = objective.goal === 'max' ? '≥' : '≤';
    if (objective.goal === 'max' ? value >= target : value <= target) {
      return { state: 'SUCCESS', reason: `Target reached: ${objective.name} = ${value} ${relation} ${target}.` };
    }
  }
  if (evaluated >= spec.budget) {
    return { state: 'SUCCESS', reason: `Budget used up: ${evaluated} of ${spec.budget} evaluations.` };
  }
  if (patience !== undefined && stale >= patience) {
    const what = spec.objectives.length > 1 ? 'the Pareto front' : `the best ${objective?.name ?? 'value'}`;
    return { state: 'SUCCESS', reason: `No improvement of ${what} in ${stale} iterations in a row.` };
  }
  return null;
}

function lastError(candidates: readonly Candidate[]): string {
  const last = candidates.findLast((candidate) => !isObserved(candidate) && candidate.outcome.type === 'failed');
  return last?.outcome.type === 'failed' ? last.outcome.error : 'no error is known';
}
