export { CmaEs } from './run.ts';
export type { Best } from './run.ts';
export type { Diagnostics } from './diagnostics.ts';
export { RestartedCmaEs } from './restarted.ts';
export type { Regime, RunSummary } from './restarts.ts';
export { CMA_OPTION_NAMES } from './options.ts';
export { ALL_NAN_ITERATIONS, LIMITS, TOLERANCE } from './contract.ts';
export type { Bounds, CmaOptions, RestartOptions, StopReasons } from './contract.ts';
