import type { CampaignId, CampaignSpec } from '#protocol';
import { drawAtRandom, untriedCount } from './designs.ts';
import { fail, finish } from './finish.ts';
import { maxPoolDesigns, rowIndex } from './load.ts';
import { afterTask } from './results.ts';
import { enter, evaluate, nextIteration, submission } from './transitions.ts';
import type { CampaignCommand, CampaignCore, CampaignEvent, Candidate, Given, Step } from './types.ts';

/** A campaign at its very beginning. */
export function begin(campaignId: CampaignId, spec: CampaignSpec, nowMs: number): Step {
  return {
    state: {
      campaignId,
      spec,
      createdMs: nowMs,
      finishedMs: null,
      phase: { type: 'loading' },
      paused: false,
      held: false,
      names: [],
      iteration: 0,
      iterationStartedMs: nowMs,
      stale: 0,
      models: [],
      front: [],
      considered: 0,
      pool: null,
      candidates: [],
      iterations: [],
    },
    commands: [{ type: 'event', event: 'campaign-started', data: { name: spec.name, budget: spec.budget } }],
  };
}

/**
 * What an event makes of a campaign, and what is to be done because of it. A function of its arguments alone; `nowMs` only goes into the seconds that
 * an iteration took. Events that come twice, late, or in another order than the tasks were planned in lead to the same state.
 */
export function step(state: CampaignCore, event: CampaignEvent, nowMs: number): Step {
  if (state.phase.type === 'finished') return { state, commands: [] };
  switch (event.type) {
    case 'loaded':
      return state.phase.type === 'loading' ? afterLoading(state, event, nowMs) : { state, commands: [] };
    case 'not_loaded':
      return state.phase.type === 'loading'
        ? fail(state, 'invalid_input', event.message, nowMs)
        : { state, commands: [] };
    case 'data_written':
      return afterWriting(state, event.path);
    case 'task_finished':
      return afterTask(state, event, nowMs);
    case 'broken':
      return fail(state, event.code, event.message, nowMs);
    case 'given':
      return { state: withGiven(state, event.items), commands: [] };
    case 'pause':
      if (state.paused) return { state, commands: [] };
      return { state: { ...state, paused: true }, commands: [{ type: 'event', event: 'campaign-paused', data: {} }] };
    case 'resume':
      return afterResume(state);
    case 'stop':
      return finish(state, 'STOPPED', event.reason, null, nowMs);
    case 'revoked':
      return afterRevocation(state, nowMs);
  }
}

function afterLoading(state: CampaignCore, event: Extract<CampaignEvent, { type: 'loaded' }>, nowMs: number): Step {
  const { names, pool, given } = event;
  if (names.length === 0) return fail(state, 'invalid_input', 'space.pool: no column is left for the inputs', nowMs);
  if (pool !== null && pool.rows.length === 0)
    return fail(state, 'invalid_input', 'space.pool: the file has no rows', nowMs);
  if (pool !== null && pool.rows.length > maxPoolDesigns) {
    const message = `space.pool: expected at most ${maxPoolDesigns} different designs, got ${pool.rows.length}`;
    return fail(state, 'invalid_input', message, nowMs);
  }
  const loaded = withGiven({ ...state, names, pool }, given);
  const { initial, budget } = loaded.spec;
  const design = drawAtRandom(loaded, Math.min(initial, budget, untriedCount(loaded)), 'initial');
  return design.length === 0 ? nextIteration(loaded, nowMs) : evaluate(loaded, design, 'initial');
}

function withGiven(state: CampaignCore, items: readonly Given[]): CampaignCore {
  const row = rowIndex(state.pool);
  const added = items.map(({ inputs, values }, k): Candidate => ({
    index: state.candidates.length + k,
    iteration: state.iteration,
    origin: 'given',
    row: row(inputs),
    inputs,
    prediction: null,
    outcome: values === null ? { type: 'failed', error: 'reported as failed' } : { type: 'observed', values },
  }));
  return { ...state, candidates: [...state.candidates, ...added] };
}

function afterWriting(state: CampaignCore, path: string): Step {
  const { phase } = state;
  if (phase.type !== 'training' || phase.dataPath !== path || phase.written) return { state, commands: [] };
  return enter(state, { ...phase, written: true });
}

function afterResume(state: CampaignCore): Step {
  if (!state.paused) return { state, commands: [] };
  const running = { ...state, paused: false, held: false };
  const resumed: CampaignCommand = { type: 'event', event: 'campaign-resumed', data: {} };
  return { state: running, commands: [resumed, ...(state.held ? submission(running) : [])] };
}

/** That task is final already. */
function afterRevocation(state: CampaignCore, nowMs: number): Step {
  const end = finish(state, 'STOPPED', 'The task that stands for the campaign was revoked.', null, nowMs);
  return { ...end, commands: end.commands.filter(({ type }) => type !== 'finish') };
}
