import type { Estimator } from '../validation/index.ts';
import type { ForestOptions } from './contract.ts';
import { ForestPredictor } from './predictor.ts';
import { ForestTrainer } from './trainer.ts';

/** A forest for cross-validation: says means, or for classification the shares of the classes. */
export function forestEstimator(module: WebAssembly.Module, options: Partial<ForestOptions>): Estimator {
  return {
    fit: (data) => {
      const trainer = ForestTrainer.create(module, data, options);
      while (!trainer.done) trainer.step();
      const predictor = new ForestPredictor(module, trainer.finish());
      return (inputs, rows) => predictor.predict(inputs, rows).mean;
    },
  };
}
