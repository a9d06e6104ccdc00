import { KernelInputError } from '../../../kernels/index.ts';
import { MlpGroup } from '../../../kernels/mlp/group/index.ts';
import { MlpPredictor, MlpTrainer, writeMlpSafetensors } from '../../../kernels/mlp/index.ts';
import type { MlpOptions, TrainingSet } from '../../../kernels/mlp/index.ts';
import type { KernelCases, Part, ResumableCase } from './case.ts';
import { table, uniform } from './data.ts';
import { stepwise } from './stepwise.ts';

const numbers: TrainingSet = table(151, 7, 3, 21);
/** Three classes. */
const labelled: TrainingSet = {
  ...table(151, 7, 1, 22),
  targets: uniform(151, 0, 3, 23).map(Math.floor),
  classes: 3,
};
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

const small: MlpOptions = { ...defaults, hidden: [9], epochs: 3 };

/** Losses are in the snapshot; what counts is the model and what it predicts. */
function training(options: Partial<MlpOptions>, data: TrainingSet = numbers): ResumableCase {
  return {
    stops: [1, 7],
    open: (module, snapshot) => {
      const trainer = snapshot
        ? MlpTrainer.resume(module, data, snapshot)
        : MlpTrainer.create(module, data, { ...defaults, ...options });
      return stepwise(trainer, () => {
        const model = trainer.finish();
        const { mean, std, aleatoric } = new MlpPredictor(module, [model]).predictParts(data.inputs, data.rows);
        return [JSON.stringify(model), mean, std, aleatoric, trainer.snapshot()];
      });
    },
  };
}

/** Trains until the weights overflow; the snapshot that can be taken then is full of NaNs. */
function overflow(module: WebAssembly.Module): Part[] {
  const trainer = MlpTrainer.create(module, numbers, { ...defaults, learningRate: 1e38 });
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
  'GELU, dropout, AdamW, cosine': training({
    activation: 'gelu',
    dropout: 0.2,
    solver: 'adamw',
    schedule: { kind: 'cosine', warmup: 2, minimum: 0.1 },
  }),
  'noise of each row': training({ loss: 'gaussian_nll', beta: 0.5, schedule: { kind: 'exponential', gamma: 0.9 } }),
  classes: training({ loss: 'log_loss', schedule: { kind: 'step', stepSize: 3, gamma: 0.5 } }, labelled),
  overflow,
  ensemble: (module) => {
    const models = [1, 2, 3].map((seed) => {
      const trainer = MlpTrainer.create(module, numbers, { ...small, seed });
      while (!trainer.done) trainer.step();
      return trainer.finish();
    });
    const { mean, std } = new MlpPredictor(module, models).predict(numbers.inputs, numbers.rows);
    return [mean, std, writeMlpSafetensors(models, { of: 'an ensemble' })];
  },
  'group without a GPU': async (module) => {
    const resources = {
      module,
      gpu: { type: 'absent', reason: 'No digest is taken of what a GPU computes.' },
    } as const;
    const group = MlpGroup.create(resources, numbers, [small, { ...small, activation: 'tanh', epochs: 5 }]);
    const reports = [];
    while (!group.done) reports.push(await group.step(2));
    return [JSON.stringify(reports), await group.snapshot(0), await group.snapshot(1)];
  },
};
