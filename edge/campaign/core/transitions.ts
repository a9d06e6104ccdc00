import { batchCount } from './batch.ts';
import { stdScales } from './calibrate.ts';
import { drawAtRandom, untriedCount } from './designs.ts';
import { evaluationTasks } from './evaluate.ts';
import { finish } from './finish.ts';
import { observedOf } from './observed.ts';
import { scoringTasks } from './score.ts';
import { searchTasks } from './search.ts';
import { fewestObservations, trainingPhase, trainingTasks } from './train.ts';
import type { CampaignCommand, CampaignCore, Candidate, Phase, PlannedTask, Proposal, Step } from './types.ts';

/** What is under way in a phase, or would be if the campaign were not paused. */
function tasksOf(state: CampaignCore): PlannedTask[] {
  const { phase } = state;
  switch (phase.type) {
    case 'training':
      return trainingTasks(state, phase);
    case 'scoring':
      return scoringTasks(state);
    case 'searching':
      return searchTasks(state, phase);
    case 'evaluating':
      return evaluationTasks(state, phase);
    case 'loading':
    case 'finished':
      return [];
  }
}

/** Goes over to a phase and submits its tasks; a paused campaign submits them when it is resumed. */
export function enter(state: CampaignCore, phase: Phase, commands: readonly CampaignCommand[] = []): Step {
  const next = { ...state, phase, held: state.paused };
  return { state: next, commands: state.paused ? commands : [...commands, ...submission(next)] };
}

export function submission(state: CampaignCore): CampaignCommand[] {
  const tasks = tasksOf(state);
  return tasks.length === 0 ? [] : [{ type: 'submit', tasks }];
}

/** Budget, space or data decide what comes after an iteration. */
export function nextIteration(state: CampaignCore, nowMs: number): Step {
  if (untriedCount(state) === 0) return exhausted(state, nowMs);
  const next = { ...state, iteration: state.iteration + 1, iterationStartedMs: nowMs };
  if (observedOf(next.candidates).length >= fewestObservations) return enter(next, trainingPhase(next));
  const drawn = drawAtRandom(next, batchCount(next), 'random');
  return drawn.length === 0 ? exhausted(state, nowMs) : evaluate(next, drawn, 'random');
}

function exhausted(state: CampaignCore, nowMs: number): Step {
  const what = state.pool === null ? 'point of the space' : 'design of the pool';
  return finish(state, 'SUCCESS', `Nothing is left to try: every ${what} has been.`, null, nowMs);
}

export function evaluate(state: CampaignCore, proposals: readonly Proposal[], origin: Candidate['origin']): Step {
  const from = state.candidates.length;
  const scale = stdScales(state);
  const added = proposals.map(({ row, inputs, prediction }, k): Candidate => ({
    index: from + k,
    iteration: state.iteration,
    origin: origin === 'surrogate' && prediction === null ? 'random' : origin,
    row,
    inputs,
    prediction: prediction === null ? null : { ...prediction, scale },
    outcome: { type: 'pending' },
  }));
  const candidates = [...state.candidates, ...added];
  return enter({ ...state, candidates }, { type: 'evaluating', from, to: candidates.length });
}

/** Tries what a surrogate proposed; when others have tried all of it meanwhile, another one is trained. */
export function propose(state: CampaignCore, proposals: readonly Proposal[], nowMs: number): Step {
  if (proposals.length > 0) return evaluate(state, proposals, 'surrogate');
  // A narrow range of floats may have fewer points than can be told from its bounds.
  return drawAtRandom(state, 1, 'random').length === 0 ? exhausted(state, nowMs) : nextIteration(state, nowMs);
}
