import { TabgridError } from '#protocol';
import type { Kwargs } from '#catalog';
import type { CandidateValues, TaskContext } from '../body.ts';
import { betweenSteps } from '../faults.ts';
import { isRow } from './candidates.ts';
import type { TableAnswer } from './table.ts';

/** Failures that are one candidate’s own; others end the task. */
const ownFailures: readonly string[] = [
  'evaluator_failed',
  'soft_time_limit_exceeded',
  'time_limit_exceeded',
  'invalid_input',
];

/** Asks the worker’s evaluator for one candidate after the other. What has been answered is in each snapshot: nothing is asked for twice. */
export async function evaluateByName(
  context: TaskContext,
  kwargs: Kwargs<'evaluate_candidates'>,
  name: string,
): Promise<TableAnswer> {
  const { evaluators } = context;
  if (evaluators === undefined) {
    throw new TabgridError(
      'evaluator_not_allowed',
      `This worker has no named evaluators, so not ${JSON.stringify(name)}.`,
    );
  }
  const { candidates, inputs } = kwargs;
  const { values, failed } = resume(context);
  for (let index = values.length; index < candidates.length; index++) {
    const candidate = candidates[index] ?? {};
    const named =
      isRow(candidate) && inputs !== undefined
        ? Object.fromEntries(inputs.map((input, k) => [input, candidate[k] ?? null]))
        : candidate;
    const tell = (fraction: number): void =>
      context.progress({
        fraction: (index + fraction) / candidates.length,
        message: `candidate ${index + 1} of ${candidates.length}`,
      });
    tell(0);
    try {
      values.push(select(await evaluators.evaluate(name, named, index, tell), kwargs.objectives));
    } catch (error) {
      if (!(error instanceof TabgridError) || !ownFailures.includes(error.code)) throw error;
      values.push(null);
      failed.push({ index, error: `${error.code}: ${error.message}` });
    }
    context.checkpoint(() => new TextEncoder().encode(JSON.stringify({ values, failed })));
    if (index + 1 < candidates.length) await betweenSteps(context);
  }
  return { values, failed };
}

/** The objectives that were asked for. One alone may come back under the name y. */
function select(values: CandidateValues, objectives: readonly string[] | undefined): CandidateValues {
  if (objectives === undefined) return values;
  const [only] = objectives;
  if (objectives.length === 1 && only !== undefined && !Object.hasOwn(values, only) && Object.hasOwn(values, 'y')) {
    return { [only]: values.y ?? null };
  }
  return Object.fromEntries(objectives.map((name) => [name, values[name] ?? null]));
}

function resume({ snapshot }: TaskContext): TableAnswer {
  return snapshot === null
    ? { values: [], failed: [] }
    : (JSON.parse(new TextDecoder().decode(snapshot)) as TableAnswer);
}
