export { Rng } from './rng.ts';
export type { RngState } from './rng.ts';
export { philox4x32 } from './philox.ts';
export { NORMAL_F32_TOLERANCE, naturalLog, normalQuantile } from './normal.ts';
