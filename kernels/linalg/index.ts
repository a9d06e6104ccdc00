export type { LinalgExports } from './exports.ts';
