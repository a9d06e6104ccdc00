export { GpTrainer } from './trainer.ts';
export { GpPredictor } from './predictor.ts';
export type { Prediction, SampleOptions } from './predictor.ts';
export { parseGpModel } from './model.ts';
export type { GpModel, OutputModel } from './model.ts';
export { GP_DEFAULTS, LIMITS as GP_LIMITS } from './contract.ts';
export type { Covariance, GpOptions, GpReport, Hyperparameters, Interval, TrainingSet } from './contract.ts';
