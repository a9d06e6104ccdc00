import { maxMagnitude } from '#kernels/csv';
import { invalidRequest, type Fault, type Observations } from '#protocol';
import { objectiveNames } from './observed.ts';
import { roomForGiven } from './surrogate.ts';
import type { CampaignCore, Given } from './types.ts';

/**
 * A person’s own results, in the order of the campaign’s inputs and objectives.
 *
 * @throws TabgridError `invalid_request` with the path of each input or objective that is missing, unknown or too large,
 * or `observations` when the surrogate cannot learn from so many.
 */
export function givenOf({ names, spec, candidates }: CampaignCore, observations: Observations): Given[] {
  const faults: Fault[] = [];
  const objectives = objectiveNames(spec);
  const given = observations.map(({ inputs, values }, index) => ({
    inputs: pick(inputs, names, `observations.${index}.inputs`, faults),
    values: values === null ? null : pick(values, objectives, `observations.${index}.values`, faults),
  }));
  const room = roomForGiven(spec) - candidates.filter(({ origin }) => origin === 'given').length;
  if (given.length > room) {
    faults.push({ path: 'observations', message: `expected at most ${room} more, with the surrogate gp` });
  }
  if (faults.length > 0) throw invalidRequest(...faults);
  return given;
}

function pick(
  values: Readonly<Record<string, number>>,
  names: readonly string[],
  path: string,
  faults: Fault[],
): number[] {
  for (const name of Object.keys(values)) {
    if (!names.includes(name)) faults.push({ path: `${path}.${name}`, message: `expected one of ${names.join(', ')}` });
  }
  return names.map((name) => {
    const value = values[name];
    if (value === undefined) faults.push({ path: `${path}.${name}`, message: 'expected a number' });
    else if (Math.abs(value) > maxMagnitude) {
      faults.push({ path: `${path}.${name}`, message: `expected a magnitude up to ${maxMagnitude}` });
    }
    return value ?? NaN;
  });
}
