import { catalog } from '#catalog';
import { maxMagnitude } from '#kernels/csv';
import type { CampaignSpec, ErrorCode, Json } from '#protocol';
import { named, objectiveNames } from './observed.ts';
import type { CampaignCore, Candidate, CandidateOutcome, Phase, PlannedTask } from './types.ts';

/** Candidates of one task where an evaluation takes no time; experiments and simulations go one by one, to as many workers as there are. */
const quickChunk = 64;

function chunkSize({ evaluator }: CampaignSpec): number {
  return evaluator.kind === 'named' ? 1 : quickChunk;
}

/** A failure by these says that no candidate can be evaluated. */
const hopeless: ReadonlySet<ErrorCode> = new Set([
  'invalid_input',
  'invalid_arguments',
  'file_not_found',
  'evaluator_not_allowed',
  'unknown_task',
]);

export function isHopeless(code: ErrorCode): boolean {
  return hopeless.has(code);
}

/** Positions of the candidates that the phase evaluates, in chunks of one task each. */
function chunksOf(state: CampaignCore, { from, to }: Phase & { type: 'evaluating' }): Candidate[][] {
  const batch = state.candidates.slice(from, to);
  const size = chunkSize(state.spec);
  return Array.from({ length: Math.ceil(batch.length / size) }, (_, k) => batch.slice(k * size, (k + 1) * size));
}

const refOf = (iteration: number, chunk: readonly Candidate[]): string =>
  `evaluate.${iteration}.${chunk[0]?.index ?? 0}`;

export function evaluationTasks(state: CampaignCore, phase: Phase & { type: 'evaluating' }): PlannedTask[] {
  return chunksOf(state, phase).map((chunk) => ({
    ref: refOf(state.iteration, chunk),
    task: 'evaluate_candidates',
    kwargs: {
      candidates: chunk.map(({ inputs }) => named(state.names, inputs)),
      evaluator: { ...state.spec.evaluator },
      inputs: [...state.names],
      objectives: objectiveNames(state.spec),
    },
  }));
}

/** The candidates that the task `ref` evaluates; none when it is not of this phase. */
export function candidatesOf(state: CampaignCore, phase: Phase & { type: 'evaluating' }, ref: string): Candidate[] {
  return chunksOf(state, phase).find((chunk) => refOf(state.iteration, chunk) === ref) ?? [];
}

/** What a task’s result says of each of `count` candidates. A result that says nothing usable of one fails that one. */
export function outcomesOf(spec: CampaignSpec, result: Json, count: number): CandidateOutcome[] {
  const parsed = catalog.evaluate_candidates.result.safeParse(result);
  if (!parsed.success) return failedAll('the worker’s answer is no result of evaluate_candidates', count);
  const { values, failed } = parsed.data;
  const errors = new Map(failed.map(({ index, error }) => [index, error]));
  return Array.from({ length: count }, (_, index) => {
    const error = errors.get(index);
    return error === undefined ? outcomeOf(spec, values[index] ?? null) : { type: 'failed', error };
  });
}

export function failedAll(error: string, count: number): CandidateOutcome[] {
  return Array.from({ length: count }, () => ({ type: 'failed', error }));
}

function outcomeOf({ objectives }: CampaignSpec, values: Record<string, number | null> | null): CandidateOutcome {
  if (values === null) return { type: 'failed', error: 'the evaluator gave no values' };
  const found: number[] = [];
  for (const { name } of objectives) {
    // An objective without a name of its own is called y.
    const value = values[name] ?? (objectives.length === 1 ? values.y : undefined);
    if (typeof value !== 'number' || !(Math.abs(value) <= maxMagnitude)) {
      const error = `the evaluator gave no number of a magnitude up to ${maxMagnitude} for ${JSON.stringify(name)}`;
      return { type: 'failed', error };
    }
    found.push(value);
  }
  return { type: 'observed', values: found };
}
