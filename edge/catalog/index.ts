import type { z } from 'zod';
import * as canvas from './canvas.ts';
import * as optimisation from './optimisation.ts';
import * as simple from './simple.ts';
import type { RunsOn, TaskType } from './task-type.ts';
import { trainSurrogate } from './train-surrogate.ts';

export { argumentsOfCall, faultsOfCalls, needsOfCalls, type Calls } from './calls.ts';
export { lengthOf, type Stretch } from './canvas.ts';
export { parseArguments, type ParsedArguments } from './parse.ts';
export { partialFaults } from './partial.ts';
export type { RunsOn, TaskType } from './task-type.ts';

/** Every task type, by name. To add one, declare it in a file of its group and list it here. */
export const catalog = {
  train_surrogate: trainSurrogate,
  run_cmaes_optimization: optimisation.runCmaesOptimization,
  score_candidates: optimisation.scoreCandidates,
  evaluate_candidates: optimisation.evaluateCandidates,
  compute_pareto_front: optimisation.computeParetoFront,
  export_results: optimisation.exportResults,
  run_campaign: optimisation.runCampaign,
  starmap: canvas.starmap,
  run_workflow: canvas.runWorkflow,
  ping: simple.ping,
} as const;

export type TaskName = keyof typeof catalog;
/** Those that anybody may submit. */
export type SubmittableTask = {
  [Name in TaskName]: true extends (typeof catalog)[Name]['internal'] ? never : Name;
}[TaskName];

/** Keyword arguments as a caller writes them, defaults left out. */
export type KwargsInput<Name extends TaskName> = z.input<(typeof catalog)[Name]['kwargs']>;
/** Keyword arguments as a body receives them, defaults filled in. */
export type Kwargs<Name extends TaskName> = z.output<(typeof catalog)[Name]['kwargs']>;
export type Result<Name extends TaskName> = z.output<(typeof catalog)[Name]['result']>;

/** The keyword that the first positional argument stands for; never where there is none. */
export type FirstKeyword<Name extends TaskName> = (typeof catalog)[Name]['positional'] extends readonly [
  infer First extends string,
  ...unknown[],
]
  ? First
  : never;

export const taskTypes: readonly TaskType[] = Object.values(catalog);

const byName = new Map<string, TaskType>();
for (const type of taskTypes) {
  for (const name of [type.name, ...type.aliases]) byName.set(name, type);
}

/** The task type that `name`, or one of its aliases, stands for. */
export function findTaskType(name: string): TaskType | undefined {
  return byName.get(name);
}

/** The names of the task types whose body may run there. */
export function tasksThatRunOn(place: RunsOn): TaskName[] {
  return (Object.keys(catalog) as TaskName[]).filter((name) => catalog[name].runsOn.includes(place));
}

/** Tasks here may be computed on a GPU, in bits that differ from one GPU to the next; on all other queues bits are equal everywhere. */
export const gpuQueue = 'gpu_training';

/** Queues that exist from the start. Anyone may name further ones. */
export const standardQueues = ['high_priority', 'default', 'low_priority', gpuQueue, 'ml', 'data'] as const;
