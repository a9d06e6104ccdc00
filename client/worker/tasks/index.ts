import type { TaskName } from '#catalog';
import type { TaskBody } from './body.ts';
import { computeParetoFront } from './compute-pareto-front.ts';
import { evaluateCandidates } from './evaluate-candidates.ts';
import { ping } from './ping.ts';
import { runCmaesOptimization } from './run-cmaes-optimization.ts';
import { scoreCandidates } from './score-candidates.ts';
import { starmap } from './starmap.ts';
import { trainSurrogate } from './train-surrogate.ts';

export type * from './body.ts';

/** Task types that the edge runs itself. Every other one needs a body here, or this file does not compile. */
type EdgeTask = 'export_results' | 'run_campaign' | 'run_workflow';

/** The body of each task type that runs in a tab or in Node. */
export const bodies = {
  train_surrogate: trainSurrogate,
  run_cmaes_optimization: runCmaesOptimization,
  score_candidates: scoreCandidates,
  evaluate_candidates: evaluateCandidates,
  compute_pareto_front: computeParetoFront,
  ping,
  starmap,
} satisfies { [Name in Exclude<TaskName, EdgeTask>]: TaskBody<Name> };
