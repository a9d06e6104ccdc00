import { absence, base } from './base.ts';

/** By the name under which a test asks for them. */
export const scenarios = { absence, base } as const;

export type ScenarioName = keyof typeof scenarios;
