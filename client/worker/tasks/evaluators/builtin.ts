import { bbob, builtin, type TestFunction } from '#kernels/bbob';
import type { Kwargs } from '#catalog';
import type { CandidateValues, TaskContext } from '../body.ts';
import { invalidInput } from '../faults.ts';
import { inputNames, isRow, valuesOf } from './candidates.ts';

/** Values of a test function. An objective without a name is called `y`. */
export function evaluateBuiltin(
  { kernels }: TaskContext,
  kwargs: Kwargs<'evaluate_candidates'>,
  evaluator: Extract<Kwargs<'evaluate_candidates'>['evaluator'], { kind: 'builtin' }>,
): CandidateValues[] {
  const { candidates, objectives = ['y'] } = kwargs;
  const [objective = 'y'] = objectives;
  if (objectives.length > 1) throw invalidInput('objectives', 'expected one: built-in functions have one value');
  const names = inputNames(kwargs, []);
  const rows = candidates.map((candidate, index) => {
    // Rows need no names here, but all must be as long as the first.
    if (names.length > 0 || !isRow(candidate)) return valuesOf(candidate, names, index);
    const expected = candidates[0]?.length;
    if (candidate.length === expected) return candidate;
    throw invalidInput(`candidates[${index}]`, `expected ${String(expected)} numbers, got ${candidate.length}`);
  });
  const dimension = rows[0]?.length ?? 0;
  const problem: TestFunction =
    'suite' in evaluator
      ? bbob(kernels, { function: evaluator.function, instance: evaluator.instance, dimension })
      : builtin(kernels, evaluator.name, dimension);
  const values = problem.evaluateMany(Float64Array.from(rows.flat()), rows.length);
  return Array.from(values, (value) => ({ [objective]: Number.isFinite(value) ? value : null }));
}
