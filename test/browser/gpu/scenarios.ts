import { absence, base } from './base.ts';
import { deviates } from './deviates.ts';
import { fleetAcquisitions, fleetDimensions, fleetFallback, fleetSearch } from './fleet.ts';
import { perceptrons } from './perceptrons.ts';

/** By the name under which a test asks for them. */
export const scenarios = {
  absence,
  base,
  deviates,
  fleetAcquisitions,
  fleetDimensions,
  fleetFallback,
  fleetSearch,
  perceptrons,
} as const;

export type ScenarioName = keyof typeof scenarios;
