import { absence, base } from './base.ts';
import { perceptrons } from './perceptrons.ts';

/** By the name under which a test asks for them. */
export const scenarios = { absence, base, perceptrons } as const;

export type ScenarioName = keyof typeof scenarios;
