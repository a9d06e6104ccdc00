import type { Kwargs } from '#catalog';
import { invalidInput } from '../faults.ts';

type Evaluation = Kwargs<'evaluate_candidates'>;

export type Candidate = Evaluation['candidates'][number];

/** True for a candidate that is a row of numbers. */
export function isRow(candidate: Candidate): candidate is number[] {
  return Array.isArray(candidate);
}

/** A candidate’s values in the order of `names`. @throws TabgridError `invalid_input` naming what it lacks or has too much. */
export function valuesOf(candidate: Candidate, names: readonly string[], index: number): number[] {
  if (isRow(candidate)) {
    if (candidate.length === names.length) return candidate;
    throw invalidInput(
      `candidates[${index}]`,
      `expected ${names.length} numbers (${names.join(', ')}), got ${candidate.length}`,
    );
  }
  const stranger = Object.keys(candidate).find((name) => !names.includes(name));
  if (stranger !== undefined) {
    throw invalidInput(`candidates[${index}].${stranger}`, `expected only ${names.join(', ')}`);
  }
  return names.map((name) => {
    const value = candidate[name];
    if (value === undefined)
      throw invalidInput(`candidates[${index}]`, `expected a number called ${JSON.stringify(name)}`);
    return value;
  });
}

/** Names of the inputs: as given, or those of the first candidate, or else the first columns of `header`. */
export function inputNames({ candidates, inputs }: Evaluation, header: readonly string[]): readonly string[] {
  const [first] = candidates;
  if (inputs !== undefined || first === undefined) return inputs ?? [];
  return isRow(first) ? header.slice(0, first.length) : Object.keys(first);
}
