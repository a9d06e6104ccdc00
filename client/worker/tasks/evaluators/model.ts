import type { Kwargs } from '#catalog';
import type { CandidateValues, TaskContext } from '../body.ts';
import { invalidInput } from '../faults.ts';
import { Surrogate } from '../models/surrogate.ts';
import { valuesOf } from './candidates.ts';

/** The mean prediction of a model file: a fitted model stands in for the laboratory. */
export async function evaluateByModel(
  context: TaskContext,
  kwargs: Kwargs<'evaluate_candidates'>,
  path: string,
): Promise<CandidateValues[]> {
  const surrogate = await Surrogate.load(context, path);
  const { candidates, inputs = surrogate.inputs, objectives = surrogate.targets } = kwargs;
  for (const name of surrogate.inputs) {
    if (!inputs.includes(name))
      throw invalidInput('inputs', `expected ${JSON.stringify(name)} among them: ${path} needs it`);
  }
  const columns = objectives.map((name, k) => {
    const column = surrogate.targets.indexOf(name);
    if (column >= 0) return column;
    throw invalidInput(`objectives[${k}]`, `expected one of the model’s targets, ${surrogate.targets.join(', ')}`);
  });
  const order = surrogate.inputs.map((name) => inputs.indexOf(name));
  const points = candidates.flatMap((candidate, index) => {
    const values = valuesOf(candidate, inputs, index);
    return order.map((position) => values[position] ?? NaN);
  });
  const { mean } = surrogate.predict(Float64Array.from(points), candidates.length);
  return candidates.map((_, row) =>
    Object.fromEntries(
      objectives.map((name, k) => [name, mean[row * surrogate.targets.length + (columns[k] ?? 0)] ?? null]),
    ),
  );
}
