import { writeCsv } from '#kernels/csv';
import { campaignFolder } from '#protocol';
import { taskSeed } from './chance.ts';
import { objectiveNames, observedOf } from './observed.ts';
import { trainingOptions, trainingTaskCount } from './surrogate.ts';
import type { CampaignCore, Phase, PlannedTask } from './types.ts';

/** Fewer say nothing about how outcomes depend on inputs. */
export const fewestObservations = 2;

/** Numbers of observations that travel inside each training task; more go by file. */
const maxInlineValues = 5_000;

export function trainingPhase(state: CampaignCore): Phase & { type: 'training' } {
  const { campaignId, spec, names, candidates, iteration } = state;
  const values = observedOf(candidates).length * (names.length + spec.objectives.length);
  const inline = values <= maxInlineValues;
  return {
    type: 'training',
    dataPath: inline ? null : `${campaignFolder(campaignId)}/observations-${iteration}.csv`,
    written: inline,
    models: Array.from({ length: trainingTaskCount(spec.surrogate, spec.budget) }, () => null),
  };
}

/** The observations as a file, for campaigns that have many. */
export function trainingData({ spec, names, candidates }: CampaignCore): string {
  const rows = observedOf(candidates).map(({ inputs, outcome }) => [...inputs, ...outcome.values]);
  return writeCsv([...names, ...objectiveNames(spec)], rows);
}

export function trainingTasks(state: CampaignCore, phase: Phase & { type: 'training' }): PlannedTask[] {
  if (!phase.written) return [];
  const { campaignId, spec, names, candidates, iteration } = state;
  const observed = observedOf(candidates);
  const data =
    phase.dataPath === null
      ? { rows: observed.map(({ inputs, outcome }) => [...inputs, ...outcome.values]) }
      : { dataset_path: phase.dataPath };
  return trainingOptions(spec.surrogate, phase.models.length, observed.length).map((options, group) => ({
    ref: `train.${iteration}.${group}`,
    task: 'train_surrogate',
    kwargs: {
      ...data,
      inputs: [...names],
      targets: objectiveNames(spec),
      ...options,
      validation_fraction: 0,
      seed: taskSeed(spec.seed, 'train', iteration, group),
      model_path: `${campaignFolder(campaignId)}/models/${iteration}-${group}.json`,
    },
  }));
}
