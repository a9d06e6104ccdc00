import type { Kwargs } from '#catalog';
import type { CandidateValues, TaskContext } from '../body.ts';
import { invalidInput } from '../faults.ts';
import { Ensemble } from '../models/ensemble.ts';
import { valuesOf } from './candidates.ts';

/** The mean prediction of a model file: a fitted model stands in for the laboratory. */
export async function evaluateByModel(
  context: TaskContext,
  kwargs: Kwargs<'evaluate_candidates'>,
  path: string,
): Promise<CandidateValues[]> {
  const ensemble = await Ensemble.load(context, path);
  const { candidates, inputs = ensemble.inputs, objectives = ensemble.targets } = kwargs;
  for (const name of ensemble.inputs) {
    if (!inputs.includes(name))
      throw invalidInput('inputs', `expected ${JSON.stringify(name)} among them: ${path} needs it`);
  }
  const columns = objectives.map((name, k) => {
    const column = ensemble.targets.indexOf(name);
    if (column >= 0) return column;
    throw invalidInput(`objectives[${k}]`, `expected one of the model’s targets, ${ensemble.targets.join(', ')}`);
  });
  const order = ensemble.inputs.map((name) => inputs.indexOf(name));
  const points = candidates.flatMap((candidate, index) => {
    const values = valuesOf(candidate, inputs, index);
    return order.map((position) => values[position] ?? NaN);
  });
  const { mean } = ensemble.predict(Float64Array.from(points), candidates.length);
  return candidates.map((_, row) =>
    Object.fromEntries(
      objectives.map((name, k) => [name, mean[row * ensemble.targets.length + (columns[k] ?? 0)] ?? null]),
    ),
  );
}
