import { scalarizer, type Scalarization } from '#kernels/acquisition';
import { chance } from './chance.ts';
import { observedOf } from './observed.ts';
import type { CampaignCore } from './types.ts';

export interface DrawnScalarization {
  readonly scalarization: Scalarization;
  /** The least value of it that an observation has. */
  readonly best: number;
}

/**
 * `count` ways to make one number of several objectives, for as many proposals (ParEGO: Knowles 2006). Weights are uniform over all that sum to one;
 * each objective is scaled by the range observed so far.
 */
export function drawScalarizations(state: CampaignCore, count: number, from = 0): DrawnScalarization[] {
  const { objectives, seed } = state.spec;
  const values = observedOf(state.candidates).map(({ outcome }) => outcome.values);
  const goals = objectives.map(({ goal }) => goal);
  const worstFirst = objectives.map(({ goal }, k) => {
    const column = values.map((row) => row[k] ?? NaN);
    const [low, high] = [smallest(column), -smallest(column.map((value) => -value))];
    return goal === 'max' ? ([low, high] as const) : ([high, low] as const);
  });
  const scaling = {
    goals,
    nadir: worstFirst.map(([worst]) => worst),
    ideal: worstFirst.map(([, best]) => best),
  };
  return Array.from({ length: count }, (_, slot) => {
    const scalarization = { ...scaling, weights: drawWeights(state, goals.length, seed, from + slot) };
    return { scalarization, best: smallest(values.map(scalarizer(scalarization))) };
  });
}

/** Uniform on the simplex: the gaps between sorted uniform numbers. */
function drawWeights({ iteration }: CampaignCore, count: number, seed: number, slot: number): number[] {
  const rng = chance(seed, 'weights', iteration, slot);
  const cuts = Array.from({ length: count - 1 }, () => rng.uniform()).sort((a, b) => a - b);
  return Array.from({ length: count }, (_, k) => (cuts[k] ?? 1) - (cuts[k - 1] ?? 0));
}

function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}
