import type { TaskBody } from './body.ts';
import { withFaults } from './faults.ts';
import { evaluateBuiltin } from './evaluators/builtin.ts';
import { evaluateByModel } from './evaluators/model.ts';
import { evaluateByName } from './evaluators/named.ts';
import { evaluateByTable } from './evaluators/table.ts';

/** Objective values of candidates, in their order. */
export const evaluateCandidates: TaskBody<'evaluate_candidates'> = withFaults(async (context, kwargs) => {
  const { evaluator } = kwargs;
  switch (evaluator.kind) {
    case 'builtin':
      return { values: evaluateBuiltin(context, kwargs, evaluator), failed: [] };
    case 'table':
      return evaluateByTable(context, kwargs, evaluator.path);
    case 'model':
      return { values: await evaluateByModel(context, kwargs, evaluator.model_path), failed: [] };
    case 'named':
      return evaluateByName(context, kwargs, evaluator.name);
  }
});
