export { bbob, builtin } from './run.ts';
export { BBOB_TOLERANCE, BUILTIN_NAMES, LIMITS } from './contract.ts';
export type { BbobProblem, BuiltinName, TestFunction } from './contract.ts';
