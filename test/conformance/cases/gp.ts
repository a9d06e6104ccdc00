import { GpPredictor, GpTrainer } from '../../../kernels/gp/index.ts';
import type { GpOptions } from '../../../kernels/gp/index.ts';
import type { KernelCases, ResumableCase } from './case.ts';
import { table, uniform } from './data.ts';
import { stepwise } from './stepwise.ts';

const data = table(61, 4, 2, 3);
const queries = uniform(70 * 4, -2, 2, 4);
const defaults: Partial<GpOptions> = { starts: 2, maxIterations: 8, seed: 1099511627777 };

function training(options: Partial<GpOptions>): ResumableCase {
  return {
    stops: [1, 12],
    open: (module, snapshot) => {
      const trainer = snapshot
        ? GpTrainer.resume(module, data, snapshot)
        : GpTrainer.create(module, data, { ...defaults, ...options });
      return stepwise(trainer, () => {
        const model = trainer.finish();
        const predictor = new GpPredictor(module, model);
        const { mean, std } = predictor.predict(queries, 70);
        const residuals = predictor.leaveOneOut();
        const samples = predictor.sample(queries, 70, { samples: 3, seed: 5 });
        return [JSON.stringify(model), mean, std, residuals.mean, residuals.std, samples, trainer.snapshot()];
      });
    },
  };
}

export const gpCases: KernelCases = {
  'Matérn 5/2': training({}),
  'Matérn 3/2, prior': training({ covariance: 'matern32', prior: 'dimension-scaled' }),
  'squared exponential, average': training({ covariance: 'rbf', mean: 'average' }),
};
