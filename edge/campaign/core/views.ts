import { writeCsv } from '#kernels/csv';
import { isoTime, type CampaignView, type Observation, type ParetoView, type TaskId } from '#protocol';
import { evaluatedCount, named, objectiveNames } from './observed.ts';
import { frontOf } from './pareto.ts';
import { bestView, iterationView } from './record.ts';
import { stateName, type CampaignCore, type Candidate } from './types.ts';

/** What a campaign’s state does not say of itself. */
export interface Registration {
  readonly owner: string;
  readonly taskId: TaskId;
}

/** Which iterations a view has: those after `after`, at most `limit`; without `after` the newest. */
export interface HistoryPage {
  readonly after?: number | undefined;
  readonly limit?: number | undefined;
}

const maxHistory = 1000;

export function progressOf(state: CampaignCore): CampaignView['progress'] {
  const evaluated = evaluatedCount(state.candidates);
  const { budget } = state.spec;
  const isOver = state.phase.type === 'finished';
  return { evaluated, budget, fraction: isOver ? 1 : Math.min(1, evaluated / budget), step: describeStep(state) };
}

/** What is being done, in words. */
function describeStep(state: CampaignCore): string {
  const { phase, iteration, paused } = state;
  const place = paused ? 'paused: ' : '';
  switch (phase.type) {
    case 'loading':
      return `${place}reading the files`;
    case 'training': {
      const done = phase.models.filter((model) => model !== null).length;
      return `${place}iteration ${iteration}: training the surrogate, ${done} of ${phase.models.length} parts`;
    }
    case 'scoring':
      return `${place}iteration ${iteration}: scoring the pool`;
    case 'searching': {
      const done = phase.results.filter((result) => result !== null).length;
      return `${place}iteration ${iteration}: searching, ${done} of ${phase.results.length} starts`;
    }
    case 'evaluating': {
      const batch = state.candidates.slice(phase.from, phase.to);
      const done = batch.filter(({ outcome }) => outcome.type !== 'pending').length;
      const what = iteration === 0 ? 'initial design' : `iteration ${iteration}`;
      return `${place}${what}: evaluating, ${done} of ${batch.length} candidates`;
    }
    case 'finished':
      return 'finished';
  }
}

export function campaignView(state: CampaignCore, { owner, taskId }: Registration, page: HistoryPage): CampaignView {
  const { phase, finishedMs } = state;
  return {
    campaign_id: state.campaignId,
    task_id: taskId,
    name: state.spec.name,
    owner,
    state: stateName(state),
    reason: phase.type === 'finished' ? phase.reason : null,
    spec: state.spec,
    progress: progressOf(state),
    best: bestView(state),
    history: historyPage(state, page),
    model_paths: [...state.models],
    created_at: isoTime(state.createdMs),
    finished_at: finishedMs === null ? null : isoTime(finishedMs),
  };
}

function historyPage(state: CampaignCore, { after, limit = maxHistory }: HistoryPage): CampaignView['history'] {
  const count = Math.min(limit, maxHistory);
  if (count === 0) return [];
  const records =
    after === undefined
      ? state.iterations.slice(-count)
      : state.iterations.filter(({ iteration }) => iteration > after).slice(0, count);
  return records.map((record) => iterationView(state, record));
}

export function paretoView(state: CampaignCore): ParetoView {
  const front = frontOf(state);
  return {
    front: front.members.map((member) => observationView(state, member)),
    hypervolume: front.hypervolume ?? 0,
    reference: front.members.length === 0 ? {} : named(objectiveNames(state.spec), front.reference),
  };
}

function observationView({ names, spec }: CampaignCore, { index, inputs, outcome }: Candidate): Observation {
  return {
    index,
    inputs: named(names, inputs),
    values: outcome.type === 'observed' ? named(objectiveNames(spec), outcome.values) : null,
  };
}

/** Everything that a campaign has found, as one JSON text. */
export function exportJson(state: CampaignCore, registration: Registration): string {
  const view = campaignView(state, registration, { limit: 0 });
  const observations = state.candidates.map((candidate) => ({
    ...observationView(state, candidate),
    iteration: candidate.iteration,
    origin: candidate.origin,
    state: candidate.outcome.type,
    ...(candidate.outcome.type === 'failed' ? { error: candidate.outcome.error } : {}),
    ...(candidate.prediction === null ? {} : { prediction: predictionView(state, candidate.prediction) }),
  }));
  const history = state.iterations.map((record) => iterationView(state, record));
  return `${JSON.stringify({ ...view, history, pareto: paretoView(state), observations })}\n`;
}

function predictionView(
  { spec }: CampaignCore,
  { mean, std }: NonNullable<Candidate['prediction']>,
): Record<string, { mean: number; std: number }> {
  return Object.fromEntries(
    objectiveNames(spec).map((name, k) => [name, { mean: mean[k] ?? NaN, std: std[k] ?? NaN }]),
  );
}

/** One row for each candidate: what it was, what the surrogate had predicted, what came of it. */
export function exportCsv(state: CampaignCore): string {
  const objectives = objectiveNames(state.spec);
  const header = [
    ...['index', 'iteration', 'origin', 'state'],
    ...state.names,
    ...objectives,
    ...objectives.flatMap((name) => [`${name} predicted`, `${name} predicted std`]),
    'error',
  ];
  const rows = state.candidates.map(({ index, iteration, origin, inputs, prediction, outcome }) => [
    ...[index, iteration, origin, outcome.type],
    ...inputs,
    ...objectives.map((_, k) => (outcome.type === 'observed' ? (outcome.values[k] ?? null) : null)),
    ...objectives.flatMap((_, k) => [prediction?.mean[k] ?? null, prediction?.std[k] ?? null]),
    outcome.type === 'failed' ? outcome.error : null,
  ]);
  return writeCsv(header, rows);
}
