export { acquisition } from './acquisition.ts';
export type { Acquisition } from './acquisition.ts';
export { DEFAULT_KAPPA, LOG_EI_TOLERANCE } from './contract.ts';
export type { AcquisitionKind, AcquisitionOptions } from './contract.ts';
export { logExpectedImprovement } from './improvement.ts';
export { scalarizer } from './scalarize.ts';
export type { Scalarization } from './scalarize.ts';
export { isAmong, shunning } from './shun.ts';
