import { KernelInputError } from '../../../kernels/index.ts';
import { MlpPredictor, MlpTrainer } from '../../../kernels/mlp/index.ts';
import type { MlpOptions } from '../../../kernels/mlp/index.ts';
import type { KernelCases, Part, ResumableCase } from './case.ts';
import { table } from './data.ts';

const data = table(151, 7, 3, 21);
const defaults: MlpOptions = {
  hidden: [40, 24],
  activation: 'relu',
  epochs: 12,
  batchSize: 37,
  learningRate: 0.01,
  weightDecay: 1e-3,
  validationFraction: 0.2,
  patience: 0,
  seed: 42,
};

/** Losses are in the snapshot; what counts is the model and what it predicts. */
function training(options: Partial<MlpOptions>): ResumableCase {
  return {
    stops: [1, 7],
    open: (module, snapshot) => {
      const trainer = snapshot
        ? MlpTrainer.resume(module, data, snapshot)
        : MlpTrainer.create(module, data, { ...defaults, ...options });
      return {
        get done() {
          return trainer.done;
        },
        step: () => trainer.step(),
        snapshot: () => trainer.snapshot(),
        result: () => {
          const model = trainer.finish();
          const { mean } = new MlpPredictor(module, [model]).predict(data.inputs, data.rows);
          return [JSON.stringify(model), mean, trainer.snapshot()];
        },
      };
    },
  };
}

/** Trains until the weights overflow; the snapshot that can be taken then is full of NaNs. */
function overflow(module: WebAssembly.Module): Part[] {
  const trainer = MlpTrainer.create(module, data, { ...defaults, learningRate: 1e38 });
  try {
    while (!trainer.done) trainer.step();
    return ['no overflow'];
  } catch (error) {
    if (!(error instanceof KernelInputError)) throw error;
    return [String(error), trainer.snapshot()];
  }
}

export const mlpCases: KernelCases = {
  relu: training({}),
  tanh: training({ hidden: [33], activation: 'tanh' }),
  'early stopping': training({ patience: 4, learningRate: 0.03, epochs: 30 }),
  overflow,
  ensemble: (module) => {
    const models = [1, 2, 3].map((seed) => {
      const trainer = MlpTrainer.create(module, data, { ...defaults, hidden: [9], epochs: 3, seed });
      while (!trainer.done) trainer.step();
      return trainer.finish();
    });
    const { mean, std } = new MlpPredictor(module, models).predict(data.inputs, data.rows);
    return [mean, std];
  },
};
