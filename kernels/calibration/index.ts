export { gaussianScores, othersScales2, stdScale } from './gaussian.ts';
export type { GaussianScores } from './gaussian.ts';
export { conformalCoverage, conformalFactor } from './conformal.ts';
export { classScores, classTemperature, withTemperature } from './classes.ts';
export type { ClassScores } from './classes.ts';
export type { ClassPredictions, GaussianPredictions } from './contract.ts';
