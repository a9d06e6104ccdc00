export { MlpTrainer } from './trainer.ts';
export { MlpPredictor } from './predictor.ts';
export { parseMlpModel } from './model.ts';
export type { MlpModel } from './model.ts';
export type { EpochReport, TrainingSet } from './contract.ts';
export { checkOptions } from './options.ts';
export type { Activation, CheckedMlpOptions, Loss, MlpOptions, Solver } from './options.ts';
export { scheduleFactor } from './schedule.ts';
export type { CheckedSchedule, Schedule } from './schedule.ts';
