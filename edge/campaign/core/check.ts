import { maxMagnitude } from '#kernels/csv';
import type { CampaignSpec, Fault } from '#protocol';
import { roomForGiven } from './surrogate.ts';

/** What the schema of a campaign cannot say: faults between its members. */
export function specFaults(spec: CampaignSpec): Fault[] {
  return [
    ...inputFaults(spec),
    ...objectiveFaults(spec),
    ...budgetFaults(spec),
    ...surrogateFaults(spec),
    ...batchFaults(spec),
  ];
}

/** A range narrower than this share of its ends has too few numbers between them to be searched. */
const narrowestShare = 1e-9;

function rangeFault(min: number, max: number): string | null {
  if (min >= max) return `expected a number above min, ${min}`;
  const largest = Math.max(Math.abs(min), Math.abs(max));
  if (largest > maxMagnitude) return `expected bounds of a magnitude up to ${maxMagnitude}`;
  return max - min < Math.max(narrowestShare * largest, 1 / maxMagnitude)
    ? `expected a number further above min, ${min}`
    : null;
}

function inputFaults({ space }: CampaignSpec): Fault[] {
  if ('pool' in space) return repeated('space.inputs', space.inputs ?? [], '');
  const bounds = space.inputs.flatMap(({ min, max }, k) => {
    const message = rangeFault(min, max);
    return message === null ? [] : [{ path: `space.inputs.${k}.max`, message }];
  });
  const names = space.inputs.map(({ name }) => name);
  return [...bounds, ...repeated('space.inputs', names, '.name')];
}

function objectiveFaults({ space, objectives, evaluator }: CampaignSpec): Fault[] {
  const names = objectives.map(({ name }) => name);
  const inputs = 'pool' in space ? (space.inputs ?? []) : space.inputs.map(({ name }) => name);
  const clashes = names.flatMap((name, k) =>
    inputs.includes(name) ? [{ path: `objectives.${k}.name`, message: 'an input has this name' }] : [],
  );
  const several =
    evaluator.kind === 'builtin' && objectives.length > 1
      ? [{ path: 'objectives', message: 'expected one objective: built-in functions have one value' }]
      : [];
  return [...repeated('objectives', names, '.name'), ...clashes, ...several];
}

function budgetFaults({ initial, budget, dataset_path: datasetPath }: CampaignSpec): Fault[] {
  const faults: Fault[] = [];
  if (initial > budget) faults.push({ path: 'initial', message: `expected at most the budget, ${budget}` });
  if (initial === 0 && datasetPath === undefined) {
    faults.push({ path: 'initial', message: 'expected at least 1 without a dataset_path' });
  }
  return faults;
}

function surrogateFaults(spec: CampaignSpec): Fault[] {
  const room = roomForGiven(spec);
  if (room >= 0) return [];
  const most = room + spec.budget;
  return [{ path: 'surrogate.kind', message: `expected another kind: gp learns from at most ${most} evaluations` }];
}

/** Numbers that a batch may have: it is kept in one row while it is being put together. */
const maxBatchNumbers = 20_000;

function batchFaults({ space, batch_size: batchSize }: CampaignSpec): Fault[] {
  if ('pool' in space || batchSize * space.inputs.length <= maxBatchNumbers) return [];
  const most = Math.floor(maxBatchNumbers / space.inputs.length);
  return [{ path: 'batch_size', message: `expected at most ${most} for ${space.inputs.length} inputs` }];
}

function repeated(path: string, names: readonly string[], member: string): Fault[] {
  return names.flatMap((name, k) =>
    names.indexOf(name) === k ? [] : [{ path: `${path}.${k}${member}`, message: `"${name}" is there twice` }],
  );
}
