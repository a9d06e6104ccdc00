import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { MlpPredictor, MlpTrainer, parseMlpModel } from '../../../kernels/mlp/index.ts';
import type { MlpModel, MlpOptions, TrainingSet } from '../../../kernels/mlp/index.ts';
import { kernelModule } from './load.ts';
import { classData, defaults, smoothData } from './mlp-data.ts';

const module = await kernelModule();
const data = smoothData(12, 3, 1, 1);

function train(set: TrainingSet, options: MlpOptions): MlpModel {
  const trainer = MlpTrainer.create(module, set, options);
  while (!trainer.done) trainer.step();
  return trainer.finish();
}

function changed(values: Float64Array, index: number, value: number): Float64Array {
  return values.map((old, i) => (i === index ? value : old));
}

function expectFault(field: string, work: () => unknown): void {
  expect(work).toThrow(KernelInputError);
  try {
    work();
  } catch (error) {
    expect((error as KernelInputError).field).toBe(field);
  }
}

describe('a training set is refused', () => {
  const faults: [string, string, Partial<TrainingSet>][] = [
    ['without rows', 'rows', { rows: 0, inputs: new Float64Array(0), targets: new Float64Array(0) }],
    ['with a fraction of a row', 'rows', { rows: 1.5 }],
    ['without inputs', 'dimension', { dimension: 0 }],
    ['without targets', 'outputs', { outputs: 0 }],
    ['with too few inputs', 'inputs', { inputs: data.inputs.slice(1) }],
    ['with too many targets', 'targets', { targets: new Float64Array(13) }],
    ['with NaN among the inputs', 'inputs[5]', { inputs: changed(data.inputs, 5, NaN) }],
    ['with infinity among the targets', 'targets[11]', { targets: changed(data.targets, 11, -Infinity) }],
    ['with numbers whose squares overflow', 'inputs[0]', { inputs: changed(data.inputs, 0, 1e101) }],
  ];
  it.each(faults)('%s (%s)', (_, field, change) => {
    expectFault(field, () => MlpTrainer.create(module, { ...data, ...change }, defaults));
  });
});

describe('options are refused', () => {
  const faults: [string, Partial<Record<keyof MlpOptions, unknown>>][] = [
    ['hidden', { hidden: 64 }],
    ['hidden', { hidden: Array.from({ length: 17 }, () => 1) }],
    ['hidden[1]', { hidden: [8, 0] }],
    ['hidden[0]', { hidden: [2.5] }],
    ['hidden', { hidden: [8192, 8192, 8192] }],
    ['activation', { activation: 'sigmoid' }],
    ['epochs', { epochs: 0 }],
    ['batchSize', { batchSize: 0 }],
    ['batchSize', { batchSize: -32 }],
    ['learningRate', { learningRate: 0 }],
    ['learningRate', { learningRate: NaN }],
    ['weightDecay', { weightDecay: -1e-3 }],
    ['validationFraction', { validationFraction: 1 }],
    ['validationFraction', { validationFraction: -0.1 }],
    ['patience', { patience: -1 }],
    ['seed', { seed: 0.5 }],
    ['seed', { seed: undefined }],
    ['solver', { solver: 'sgd' }],
    ['dropout', { dropout: 1 }],
    ['dropout', { dropout: -0.1 }],
    ['loss', { loss: 'hinge' }],
    ['beta', { beta: 0.5 }],
    ['beta', { loss: 'gaussian_nll', beta: 2 }],
    ['schedule', { schedule: 'cosine' }],
    ['schedule.kind', { schedule: { kind: 'plateau' } }],
    ['schedule.warmup', { schedule: { kind: 'constant', warmup: -1 } }],
    ['schedule.gamma', { schedule: { kind: 'exponential' } }],
    ['schedule.gamma', { schedule: { kind: 'exponential', gamma: 1.01 } }],
    ['schedule.gamma', { schedule: { kind: 'constant', gamma: 0.5 } }],
    ['schedule.minimum', { schedule: { kind: 'cosine', minimum: 2 } }],
    ['schedule.stepSize', { schedule: { kind: 'step', stepSize: 0 } }],
  ];
  it.each(faults)('%s: %j', (field, change) => {
    expectFault(field, () => MlpTrainer.create(module, data, { ...defaults, ...change } as MlpOptions));
  });
});

describe('labels are refused', () => {
  const labels = classData(12, 3, 3, 1);
  const faults: [string, string, Partial<TrainingSet>][] = [
    ['beyond the last class', 'targets[4]', { targets: changed(labels.targets, 4, 3) }],
    ['below 0', 'targets[4]', { targets: changed(labels.targets, 4, -1) }],
    ['between classes', 'targets[4]', { targets: changed(labels.targets, 4, 0.5) }],
    ['that are NaN', 'targets[4]', { targets: changed(labels.targets, 4, NaN) }],
    ['of one class only in name', 'classes', { classes: 1 }],
    ['in several columns', 'outputs', { outputs: 2, targets: new Float64Array(24) }],
  ];
  it.each(faults)('%s (%s)', (_, field, change) => {
    expectFault(field, () => MlpTrainer.create(module, { ...labels, ...change }, { ...defaults, loss: 'log_loss' }));
  });

  it('without a number of classes, and a number of classes without the loss', () => {
    expectFault('classes', () => MlpTrainer.create(module, data, { ...defaults, loss: 'log_loss' }));
    expectFault('classes', () => MlpTrainer.create(module, { ...data, classes: 3 }, defaults));
  });
});

describe('a batch that would not fit into memory', () => {
  it('is refused', () => {
    const rows = 8200;
    const column = new Float64Array(rows);
    const set = { inputs: column, targets: column, rows, dimension: 1, outputs: 1 };
    const options = { ...defaults, hidden: [8192], batchSize: 1e6, validationFraction: 0 };
    expectFault('batchSize', () => MlpTrainer.create(module, set, options));
  });
});

describe('odd data are learned from', () => {
  const finite = (model: MlpModel, set: TrainingSet): Float64Array => {
    const { mean } = new MlpPredictor(module, [model]).predict(set.inputs, set.rows);
    expect(mean.every(Number.isFinite)).toBe(true);
    return mean;
  };

  it('when a column is constant: it gets the scale 1', () => {
    const inputs = data.inputs.map((x, i) => (i % 3 === 1 ? 0.1 : x));
    const model = train({ ...data, inputs }, { ...defaults, validationFraction: 0 });
    expect(model.inputs.mean[1]).toBeCloseTo(0.1, 15);
    expect(model.inputs.scale[1]).toBe(1);
    finite(model, { ...data, inputs });
  });

  it('when all targets are equal: they are predicted', () => {
    const set = { ...data, targets: new Float64Array(12).fill(-3e6) };
    const mean = finite(train(set, { ...defaults, epochs: 200 }), set);
    expect(mean.every((y) => Math.abs(y + 3e6) < 1)).toBe(true);
  });

  it('when there is one row', () => {
    const set = { inputs: Float64Array.of(4, 5), targets: Float64Array.of(6), rows: 1, dimension: 2, outputs: 1 };
    expect(finite(train(set, { ...defaults, patience: 3 }), set)[0]).toBe(6);
  });

  it('when there are more inputs than rows', () => {
    const set = smoothData(4, 50, 1, 2);
    finite(train(set, defaults), set);
    finite(train(set, { ...defaults, loss: 'gaussian_nll', activation: 'gelu', dropout: 0.5 }), set);
    finite(train(classData(4, 50, 3, 2), { ...defaults, loss: 'log_loss' }), set);
  });

  it('when targets are without noise: log-variances end at their bound', () => {
    const set = { ...data, targets: new Float64Array(12).fill(5) };
    const model = train(set, { ...defaults, loss: 'gaussian_nll', epochs: 2000, learningRate: 0.05 });
    const { mean, std } = new MlpPredictor(module, [model]).predict(set.inputs, set.rows);
    expect(mean.every((y) => Math.abs(y - 5) < 0.1)).toBe(true);
    expect(std.every((noise) => noise > 3e-4 && noise < 0.05)).toBe(true);
  });

  it('when all rows are of one class: it gets nearly all the probability', () => {
    const set = { ...data, targets: new Float64Array(12).fill(2), classes: 4 };
    const probabilities = finite(train(set, { ...defaults, loss: 'log_loss', epochs: 200 }), set);
    expect(probabilities.every((p, i) => (i % 4 === 2 ? p > 0.95 : p < 0.05))).toBe(true);
  });

  it('when there is one row, by every loss', () => {
    const row = { inputs: Float64Array.of(4, 5), targets: Float64Array.of(1), rows: 1, dimension: 2, outputs: 1 };
    finite(train(row, { ...defaults, loss: 'gaussian_nll' }), row);
    finite(train({ ...row, classes: 2 }, { ...defaults, loss: 'log_loss' }), row);
  });

  it('when a row that is kept aside is far from all others', () => {
    for (let row = 0; row < data.rows; row++) {
      const set = { ...data, inputs: changed(data.inputs, 3 * row, 1e90) };
      expect(() => train(set, { ...defaults, validationFraction: 0.5 })).not.toThrow();
    }
  });

  it('when columns have very unlike magnitudes', () => {
    const inputs = data.inputs.map((x, i) => [x * 1e-250, x * 1e80, x + 1e6][i % 3]!);
    finite(train({ ...data, inputs }, defaults), { ...data, inputs });
  });
});

describe('training that leaves the finite numbers', () => {
  it.each([{ learningRate: 1e30 }, { learningRate: 1e300 }, { weightDecay: 1e300 }])('is a fault: %j', (change) => {
    for (const activation of ['relu', 'tanh', 'gelu'] as const) {
      expectFault('learningRate', () => train(data, { ...defaults, ...change, activation, epochs: 50 }));
    }
  });
});

describe('training by another loss that leaves the finite numbers', () => {
  it.each(['gaussian_nll', 'log_loss'] as const)('is a fault: %s', (loss) => {
    const set = loss === 'log_loss' ? classData(12, 3, 3, 1) : data;
    expectFault('learningRate', () => train(set, { ...defaults, loss, learningRate: 1e30, epochs: 50 }));
  });
});

describe('a model from a file', () => {
  const model = train(data, defaults);

  it('of a newer kind comes back through JSON too', () => {
    const noisy = train(data, { ...defaults, loss: 'gaussian_nll', activation: 'gelu' });
    expect(noisy).toMatchObject({ version: 2, loss: 'gaussian_nll', layers: [3, 16, 16, 2] });
    expect(parseMlpModel(JSON.parse(JSON.stringify(noisy)))).toEqual(noisy);
  });

  it('is of version 1 when that can say it', () => {
    expect(model.version).toBe(1);
    expect(model).not.toHaveProperty('loss');
    expect(parseMlpModel({ ...model, version: 2, loss: 'squared_error' }).layers).toEqual(model.layers);
  });
  const { inputs, training } = model;

  it('comes back through JSON', () => {
    expect(parseMlpModel(JSON.parse(JSON.stringify(model)))).toEqual(model);
  });

  const nan = Buffer.from(new Float32Array(Buffer.from(model.weights, 'base64').length / 4).fill(NaN).buffer);
  const faults: [string, unknown][] = [
    ['model', null],
    ['model', [model]],
    ['format', { ...model, format: 'onnx' }],
    ['version', { ...model, version: 3 }],
    ['loss', { ...model, version: 2 }],
    ['layers', { ...model, version: 2, loss: 'gaussian_nll' }],
    ['layers', { ...model, version: 2, loss: 'log_loss' }],
    ['activation', { ...model, activation: 'gelu' }],
    ['activation', { ...model, activation: 'elu' }],
    ['layers', { ...model, layers: [3] }],
    ['layers[1]', { ...model, layers: [3, -16, 1] }],
    ['inputs', { ...model, inputs: undefined }],
    ['inputs.mean', { ...model, inputs: { ...inputs, mean: [0] } }],
    ['inputs.scale[2]', { ...model, inputs: { ...inputs, scale: [1, 1, 0] } }],
    ['inputs.mean[0]', { ...model, inputs: { ...inputs, mean: ['0', 0, 0] } }],
    ['outputs.scale', { ...model, outputs: { mean: [0] } }],
    ['weights', { ...model, weights: undefined }],
    ['weights', { ...model, weights: model.weights.slice(4) }],
    ['weights', { ...model, layers: [3, 16, 17, 1] }],
    ['weights[0]', { ...model, weights: nan.toString('base64') }],
    ['training.epochs', { ...model, training: { ...training, epochs: 'many' } }],
  ];
  it.each(faults)('is refused for its %s', (field, value) => {
    expectFault(field, () => parseMlpModel(value));
  });
});

describe('a prediction is refused', () => {
  const model = train(data, defaults);
  const predictor = new MlpPredictor(module, [model]);

  it('without models', () => {
    expectFault('models', () => new MlpPredictor(module, []));
  });

  it('from models that do not fit together', () => {
    const other = train(smoothData(12, 3, 2, 1), defaults);
    expectFault('models[1].layers', () => new MlpPredictor(module, [model, other]));
    const noisy = train(data, { ...defaults, loss: 'gaussian_nll' });
    expectFault('models[1].loss', () => new MlpPredictor(module, [model, noisy]));
    expectFault('models', () => predictor.classify(data.inputs, 12));
  });

  it('for rows that do not fit, or are no numbers', () => {
    expectFault('x', () => predictor.predict(new Float64Array(4), 1));
    expectFault('x[1]', () => predictor.predict(Float64Array.of(0, NaN, 0), 1));
    expectFault('rows', () => predictor.predict(new Float64Array(0), -1));
    const room = new Float64Array(1);
    expectFault('mean', () => predictor.predictInto(new Float64Array(6), 2, room, new Float64Array(2)));
    expectFault('std', () => predictor.predictInto(new Float64Array(6), 2, new Float64Array(2), room));
  });
});
