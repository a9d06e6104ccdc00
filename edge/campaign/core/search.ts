import { catalog } from '#catalog';
import { isAmong } from '#kernels/acquisition';
import { rowKey } from '#kernels/csv';
import type { Input, Json } from '#protocol';
import { batchCount } from './batch.ts';
import { randomPoint, untriedPoints } from './box.ts';
import { stdScales } from './calibrate.ts';
import { chance, taskSeed } from './chance.ts';
import { triedKeys } from './designs.ts';
import { bestOf } from './observed.ts';
import { drawScalarizations } from './scalarize.ts';
import { goalOf, newest, plain } from './score.ts';
import type { CampaignCore, Phase, PlannedTask, Proposal, SearchResult } from './types.ts';

type Searching = Phase & { type: 'searching' };

/** Starts of one round: enough that several workers share the search and that a poor local optimum is noticed. */
const fewestStarts = 4;
/** A larger batch takes several proposals from each round, up to a quota. */
const customaryRounds = 8;
const largestQuota = 16;
/** Evaluations of the surrogate for each start, per input and in addition. */
const evaluationsPerInput = 400;
const evaluationsBase = 600;

function boxOf({ spec }: CampaignCore): readonly Input[] {
  return 'pool' in spec.space ? [] : spec.space.inputs;
}

/** How many proposals each round contributes. */
function quotaOf(state: CampaignCore): number {
  return Math.min(Math.ceil(batchCount(state) / customaryRounds), largestQuota);
}

export function searchingPhase(state: CampaignCore, round: number, chosen: readonly Proposal[]): Searching {
  const starts = Math.max(fewestStarts, 2 * quotaOf(state));
  return { type: 'searching', round, results: Array.from({ length: starts }, () => null), chosen };
}

/** Every start of a round as one task. The first begins at the best observation, the others anywhere. */
export function searchTasks(state: CampaignCore, { round, results, chosen }: Searching): PlannedTask[] {
  const { spec, iteration, models } = state;
  const inputs = boxOf(state);
  const [scalarization] = spec.objectives.length > 1 ? drawScalarizations(state, 1, round) : [];
  const { goal, best } = goalOf(state);
  const objective = plain({
    model_path: models,
    acquisition: spec.acquisition,
    goal,
    best: scalarization?.best ?? best,
    scalarization: scalarization?.scalarization,
    std_scale: stdScales(state),
    integers: inputs.flatMap(({ type }, k) => (type === 'integer' ? [k] : [])),
    pending: newest([...state.candidates, ...chosen].map((point) => point.inputs)),
  });
  const incumbent = bestOf(spec, state.candidates)?.inputs ?? null;
  return results.map((_, start) => {
    const index = round * results.length + start;
    const x0 =
      start === 0 && incumbent !== null
        ? within(inputs, incumbent)
        : randomPoint(inputs, chance(spec.seed, 'start', iteration, index));
    return {
      ref: `search.${iteration}.${round}.${start}`,
      task: 'run_cmaes_optimization',
      kwargs: {
        objective,
        dimension: inputs.length,
        bounds: [inputs.map(({ min }) => min), inputs.map(({ max }) => max)],
        x0: [...x0],
        max_evaluations: evaluationsBase + evaluationsPerInput * inputs.length,
        seed: taskSeed(spec.seed, 'search', iteration, index),
      },
    };
  });
}

/** The nearest point of the box: what a person has measured may lie outside. */
function within(inputs: readonly Input[], point: readonly number[]): number[] {
  return inputs.map(({ min, max }, k) => Math.min(Math.max(point[k] ?? min, min), max));
}

/** What a search’s result says. @throws Error in words when it is not one. */
export function searchResultOf(state: CampaignCore, result: Json): SearchResult {
  const parsed = catalog.run_cmaes_optimization.result.safeParse(result);
  if (!parsed.success || parsed.data.prediction === undefined || parsed.data.x.length !== boxOf(state).length) {
    throw new Error('the worker’s answer is no result of run_cmaes_optimization over a model');
  }
  const { x, fun, prediction } = parsed.data;
  return { x, fun, prediction };
}

/**
 * What a finished round adds to the batch: the best ends of its starts that are neither near each other nor where something was tried, best
 * first; of equal ones the earlier start.
 */
function choose(state: CampaignCore, { results, chosen }: Searching): Proposal[] {
  const inputs = boxOf(state);
  const unit = (point: readonly number[]): number[] =>
    inputs.map(({ min, max }, k) => ((point[k] ?? min) - min) / (max - min));
  const near = [...state.candidates, ...chosen].map((point) => unit(point.inputs));
  const wanted = Math.min(quotaOf(state), batchCount(state) - chosen.length);
  const ends = results
    .flatMap((result, start) => (result === null ? [] : [{ ...result, start }]))
    .sort((a, b) => a.fun - b.fun || a.start - b.start);
  const added: Proposal[] = [];
  for (const { x, prediction } of ends) {
    if (added.length === wanted) break;
    if (isAmong(near, unit(x))) continue;
    near.push(unit(x));
    added.push({ row: null, inputs: x, prediction });
  }
  return added;
}

/** After a round whose starts have all ended: the next round, or the whole batch. */
export function afterRound(state: CampaignCore, phase: Searching): Searching | { readonly proposals: Proposal[] } {
  const added = choose(state, phase);
  const chosen = [...phase.chosen, ...added];
  const missing = batchCount(state) - chosen.length;
  if (missing > 0 && added.length > 0) {
    return searchingPhase(state, phase.round + 1, chosen);
  }
  if (missing <= 0) return { proposals: chosen };
  // The model knows no further place worth a try: chance fills the batch.
  const tried = triedKeys(state);
  for (const { inputs } of chosen) tried.add(rowKey(inputs));
  const rng = chance(state.spec.seed, 'random', state.iteration);
  const points = untriedPoints(boxOf(state), missing, rng, tried);
  return { proposals: [...chosen, ...points.map((inputs) => ({ row: null, inputs, prediction: null }))] };
}
