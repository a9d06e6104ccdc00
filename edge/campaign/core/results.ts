import { catalog } from '#catalog';
import type { ErrorCode, Json } from '#protocol';
import { candidatesOf, failedAll, isHopeless, outcomesOf } from './evaluate.ts';
import { fail, finish } from './finish.ts';
import { iterationView, reasonToEnd, recordIteration } from './record.ts';
import { plain, proposalsOf } from './score.ts';
import { afterRound, searchingPhase, searchResultOf } from './search.ts';
import { enter, nextIteration, propose } from './transitions.ts';
import type { CampaignCommand, CampaignCore, CampaignEvent, Phase, Step } from './types.ts';

type TaskFinished = Extract<CampaignEvent, { type: 'task_finished' }>;

/** What the end of a task means to the phase that waits for it. Ends of other phases’ tasks, and second ends, mean nothing. */
export function afterTask(state: CampaignCore, event: TaskFinished, nowMs: number): Step {
  const { phase, iteration } = state;
  const [kind, iterationText, ...rest] = event.ref.split('.');
  if (Number(iterationText) !== iteration) return { state, commands: [] };
  const positions = rest.map(Number);
  try {
    if (phase.type === 'training' && kind === 'train') return afterTraining(state, phase, positions[0] ?? -1, event);
    if (phase.type === 'scoring' && kind === 'score') return propose(state, proposalsOf(state, needed(event)), nowMs);
    if (phase.type === 'searching' && kind === 'search' && positions[0] === phase.round) {
      return afterSearch(state, phase, positions[1] ?? -1, event, nowMs);
    }
  } catch (error) {
    const code = error instanceof TaskFailed ? error.code : 'task_failed';
    return fail(
      state,
      code,
      `${describe(kind)} failed: ${error instanceof Error ? error.message : String(error)}`,
      nowMs,
    );
  }
  if (phase.type === 'evaluating' && kind === 'evaluate') return afterEvaluation(state, phase, event, nowMs);
  return { state, commands: [] };
}

/** A task without which the campaign cannot go on has failed for good. */
class TaskFailed extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

function needed({ state, result, error }: TaskFinished): Json {
  if (state === 'SUCCESS') return result;
  if (state === 'REVOKED') throw new TaskFailed('revoked', 'the task was revoked');
  throw new TaskFailed(
    error?.type ?? 'task_failed',
    error === null ? 'no error is known' : `${error.type}: ${error.message}`,
  );
}

function describe(kind: string | undefined): string {
  return kind === 'train' ? 'Training the surrogate' : kind === 'score' ? 'Scoring the pool' : 'The search';
}

function afterTraining(
  state: CampaignCore,
  phase: Phase & { type: 'training' },
  group: number,
  event: TaskFinished,
): Step {
  if (phase.models[group] !== null) return { state, commands: [] };
  const parsed = catalog.train_surrogate.result.safeParse(needed(event));
  if (!parsed.success) throw new Error('the worker’s answer is no result of train_surrogate');
  const models = phase.models.with(group, parsed.data.model_path);
  const trained = models.filter((path) => path !== null);
  if (trained.length < models.length) return { state: { ...state, phase: { ...phase, models } }, commands: [] };
  const superseded = [...state.models, ...(phase.dataPath === null ? [] : [phase.dataPath])];
  const commands: CampaignCommand[] = superseded.length === 0 ? [] : [{ type: 'delete_files', paths: superseded }];
  const next = { ...state, models: trained };
  return enter(next, state.pool === null ? searchingPhase(next, 0, []) : { type: 'scoring' }, commands);
}

function afterSearch(
  state: CampaignCore,
  phase: Phase & { type: 'searching' },
  start: number,
  event: TaskFinished,
  nowMs: number,
): Step {
  if (phase.results[start] !== null) return { state, commands: [] };
  const searching = { ...phase, results: phase.results.with(start, searchResultOf(state, needed(event))) };
  if (searching.results.includes(null)) return { state: { ...state, phase: searching }, commands: [] };
  const after = afterRound(state, searching);
  return 'proposals' in after ? propose(state, after.proposals, nowMs) : enter(state, after);
}

function afterEvaluation(
  state: CampaignCore,
  phase: Phase & { type: 'evaluating' },
  event: TaskFinished,
  nowMs: number,
): Step {
  const chunk = candidatesOf(state, phase, event.ref);
  const [first] = chunk;
  if (first === undefined || state.candidates[first.index]?.outcome.type !== 'pending') return { state, commands: [] };
  const { error } = event;
  if (event.state === 'FAILURE' && error !== null && isHopeless(error.type)) {
    return fail(state, error.type, `The evaluator cannot evaluate: ${error.type}: ${error.message}`, nowMs);
  }
  const outcomes =
    event.state === 'SUCCESS'
      ? outcomesOf(state.spec, event.result, chunk.length)
      : failedAll(error === null ? 'the task was revoked' : `${error.type}: ${error.message}`, chunk.length);
  const candidates = [...state.candidates];
  chunk.forEach((candidate, k) => {
    candidates[candidate.index] = { ...candidate, outcome: outcomes[k] ?? candidate.outcome };
  });
  const evaluated = { ...state, candidates };
  const isDone = candidates.slice(phase.from, phase.to).every(({ outcome }) => outcome.type !== 'pending');
  return isDone ? afterIteration(evaluated, phase, nowMs) : { state: evaluated, commands: [] };
}

function afterIteration(state: CampaignCore, phase: Phase & { type: 'evaluating' }, nowMs: number): Step {
  const recorded = recordIteration(state, phase, nowMs);
  const told = recorded.iterations.slice(-1).map((record): CampaignCommand => {
    return { type: 'event', event: 'campaign-iteration', data: plain(iterationView(recorded, record)) };
  });
  const end = reasonToEnd(recorded);
  const after =
    end === null
      ? nextIteration(recorded, nowMs)
      : finish(recorded, end.state, end.reason, end.state === 'FAILURE' ? 'evaluator_failed' : null, nowMs);
  return { state: after.state, commands: [...told, ...after.commands] };
}
