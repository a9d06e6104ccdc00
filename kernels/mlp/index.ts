export { MlpTrainer } from './trainer.ts';
export { MlpPredictor } from './predictor.ts';
export { parseMlpModel } from './model.ts';
export type { MlpModel } from './model.ts';
export type { Activation, EpochReport, MlpOptions, TrainingSet } from './contract.ts';
