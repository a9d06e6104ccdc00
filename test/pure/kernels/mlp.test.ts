import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TOLERANCE, outputWidth } from '../../../kernels/mlp/contract.ts';
import { prepare, standardise } from '../../../kernels/mlp/data.ts';
import { initialParameters } from '../../../kernels/mlp/layers.ts';
import { modelParameters } from '../../../kernels/mlp/model.ts';
import { dropoutFactors, forward, objective, standardisedRows, train } from '../../../kernels/mlp/reference.ts';
import { MlpPredictor, MlpTrainer, checkOptions } from '../../../kernels/mlp/index.ts';
import type { EpochReport, MlpModel, MlpOptions, TrainingSet } from '../../../kernels/mlp/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import { readSnapshot } from '../../../kernels/runtime/index.ts';
import { kernelModule } from './load.ts';
import { classData, defaults, smoothData } from './mlp-data.ts';

const module = await kernelModule();

function run(data: TrainingSet, options: MlpOptions): { reports: EpochReport[]; model: MlpModel } {
  const trainer = MlpTrainer.create(module, data, options);
  const reports: EpochReport[] = [];
  while (!trainer.done) reports.push(trainer.step());
  return { reports, model: trainer.finish() };
}

/** Largest difference, relative to the largest magnitude; what is below `floor` is rounding noise around zero. */
function deviation(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 0.01): number {
  const largest = Math.max(...Array.from(expected, Math.abs), floor);
  return Math.max(...Array.from(expected, (value, i) => Math.abs(value - actual[i]!))) / largest;
}

describe('MlpTrainer against the reference', () => {
  const width = fc.integer({ min: 1, max: 19 });
  const problems = fc.record({
    rows: fc.integer({ min: 1, max: 40 }),
    dimension: width,
    outputs: fc.integer({ min: 1, max: 10 }),
    hidden: fc.array(width, { maxLength: 3 }),
    activation: fc.constantFrom('relu', 'tanh', 'gelu'),
    loss: fc.constantFrom('squared_error', 'gaussian_nll', 'log_loss'),
    dropout: fc.constantFrom(0, 0, 0.4),
    weightDecay: fc.constantFrom(0, 0.3),
    seed: fc.nat(1000),
  });

  it('has its gradient, for every shape', () => {
    fc.assert(
      fc.property(problems, ({ rows, dimension, outputs, seed, ...rest }) => {
        const data =
          rest.loss === 'log_loss'
            ? classData(rows, dimension, outputs + 1, seed)
            : smoothData(rows, dimension, outputs, seed);
        const beta = rest.loss === 'gaussian_nll' ? 0.5 : 0;
        const options = checkOptions({ ...defaults, ...rest, beta, seed, batchSize: rows, validationFraction: 0 });
        const trainer = MlpTrainer.create(module, data, options);
        const { trainLoss } = trainer.step();
        // After the first step Adam's first moment is (1 − β₁) times the gradient.
        const [, firstMoment] = readSnapshot(trainer.snapshot(), 'mlp', 2).arrays;
        const pick = standardisedRows(data, options);
        const widths = [dimension, ...options.hidden, outputWidth(data, options.loss)];
        const theta = Float64Array.from(initialParameters(widths, options.activation, seed));
        const order = Uint32Array.from({ length: rows }, (_, row) => row);
        new Rng(seed, 2).shuffle(order);
        const table = [...order].map((row, place) => ({
          ...pick(row),
          keep: options.hidden.map((units, layer) => dropoutFactors(options, 0, layer, place, units)),
        }));
        const network = { widths, activation: options.activation, theta };
        const { loss, gradient } = objective(network, table, options.weightDecay, options);
        expect(deviation([trainLoss], [loss])).toBeLessThan(TOLERANCE.gradient);
        expect(
          deviation(
            Array.from(firstMoment!, (m) => 10 * m),
            gradient,
          ),
        ).toBeLessThan(TOLERANCE.gradient);
      }),
      { seed: 3, numRuns: 250 },
    );
  });

  it.each([
    { name: 'relu', activation: 'relu', hidden: [32, 24], outputs: 1, batchSize: 16 },
    { name: 'tanh', activation: 'tanh', hidden: [20], outputs: 3, batchSize: 10 },
    { name: 'a batch of one row', activation: 'relu', hidden: [8], outputs: 1, batchSize: 1 },
    { name: 'one batch for all', activation: 'tanh', hidden: [9, 7, 5], outputs: 2, batchSize: 1000 },
    { name: 'gelu', activation: 'gelu', hidden: [24, 16], outputs: 1, batchSize: 16 },
    { name: 'AdamW', solver: 'adamw', weightDecay: 0.1, hidden: [16], outputs: 1, batchSize: 16 },
    { name: 'dropout', dropout: 0.2, activation: 'gelu', hidden: [16, 9], outputs: 1, batchSize: 11 },
    { name: 'dropout before tanh', dropout: 0.5, activation: 'tanh', hidden: [16, 9], outputs: 1, batchSize: 11 },
    { name: 'a cosine after a warm-up', schedule: { kind: 'cosine', warmup: 2.5 }, outputs: 1, batchSize: 10 },
    { name: 'steps', schedule: { kind: 'step', stepSize: 20 }, outputs: 1, batchSize: 10 },
    { name: 'a noise of each row', loss: 'gaussian_nll', activation: 'tanh', outputs: 2, batchSize: 16 },
    { name: 'β-NLL', loss: 'gaussian_nll', beta: 0.5, activation: 'tanh', outputs: 1, batchSize: 16 },
    { name: 'classes', loss: 'log_loss', activation: 'tanh', outputs: 5, batchSize: 16 },
  ] as const)('has its losses over 50 epochs: $name', ({ outputs, ...rest }) => {
    const isClasses = 'loss' in rest && rest.loss === 'log_loss';
    const data = isClasses ? classData(83, 5, outputs, 4) : smoothData(83, 5, outputs, 4);
    const options: MlpOptions = { ...defaults, ...rest, learningRate: 0.002, epochs: 50 };
    const { reports } = run(data, options);
    const { trainLosses, validationLosses } = train(data, options);
    reports.forEach(({ trainLoss, validationLoss }, i) => {
      expect(deviation([trainLoss], [trainLosses[i]!], 0.05)).toBeLessThan(TOLERANCE.loss);
      expect(deviation([validationLoss!], [validationLosses[i]!], 0.05)).toBeLessThan(TOLERANCE.loss);
    });
  });

  it('has its outputs, in the units of the data', () => {
    for (const activation of ['relu', 'tanh', 'gelu'] as const) {
      const data = smoothData(150, 6, 2, 8);
      const { model } = run(data, { ...defaults, activation, hidden: [40, 30] });
      const { mean } = new MlpPredictor(module, [model]).predict(data.inputs, data.rows);
      const x = new Float64Array(data.inputs.length);
      const scaling = { mean: Float64Array.from(model.inputs.mean), scale: Float64Array.from(model.inputs.scale) };
      standardise(data.inputs, scaling, x, 6);
      const network = { widths: model.layers, activation, theta: Float64Array.from(modelParameters(model)) };
      for (let row = 0; row < data.rows; row++) {
        const outputs = forward(network, x.subarray(6 * row, 6 * row + 6)).at(-1)!;
        const expected = outputs.map((value, k) => model.outputs.mean[k]! + model.outputs.scale[k]! * value);
        expect(deviation(mean.subarray(2 * row, 2 * row + 2), expected)).toBeLessThan(10 * TOLERANCE.output);
      }
    }
  });
});

describe('MlpTrainer', () => {
  it('finds the ridge regression when there is no hidden layer', () => {
    const data = smoothData(60, 2, 1, 5);
    const weightDecay = 0.2;
    // Adam ends in steps of the size of its rate, whatever the gradient.
    const solve = { learningRate: 5e-4, epochs: 8000, batchSize: 60, validationFraction: 0 };
    const options = { ...defaults, ...solve, hidden: [], weightDecay };
    const { model } = run(data, options);
    const { inputs, targets } = prepare(data, options);
    const z = new Float64Array(120);
    const y = new Float64Array(60);
    standardise(data.inputs, inputs, z, 2);
    standardise(data.targets, targets, y, 1);
    // (ZᵀZ/N + λI)·w = Zᵀy/N, two equations by Cramer's rule.
    const mean = (f: (row: number) => number) => y.reduce((sum, _, row) => sum + f(row), 0) / 60;
    const a = mean((row) => z[2 * row]! ** 2) + weightDecay;
    const b = mean((row) => z[2 * row]! * z[2 * row + 1]!);
    const d = mean((row) => z[2 * row + 1]! ** 2) + weightDecay;
    const p = mean((row) => z[2 * row]! * y[row]!);
    const q = mean((row) => z[2 * row + 1]! * y[row]!);
    const weights = modelParameters(model);
    expect(weights[0]).toBeCloseTo((p * d - b * q) / (a * d - b * b), 3);
    expect(weights[1]).toBeCloseTo((a * q - b * p) / (a * d - b * b), 3);
    expect(weights[2]).toBeCloseTo(0, 3);
  });

  it('learns a curve that no linear model can follow', () => {
    const rows = 200;
    const inputs = Float64Array.from({ length: rows }, (_, i) => -3 + (6 * i) / (rows - 1));
    const data = { inputs, targets: inputs.map(Math.sin), rows, dimension: 1, outputs: 1 };
    const { model } = run(data, { ...defaults, hidden: [32, 32], epochs: 400, weightDecay: 0, validationFraction: 0 });
    const { mean } = new MlpPredictor(module, [model]).predict(inputs, rows);
    const squared = mean.reduce((sum, value, i) => sum + (value - Math.sin(inputs[i]!)) ** 2, 0) / rows;
    expect(Math.sqrt(squared)).toBeLessThan(0.03);
  });

  it('reports the loss of the model it finishes with', () => {
    const data = smoothData(90, 4, 1, 6);
    const { reports, model } = run(data, { ...defaults, patience: 5, epochs: 300, learningRate: 0.03 });
    const losses = reports.map(({ validationLoss }) => validationLoss!);
    expect(model.training.bestEpoch).toBe(1 + losses.indexOf(Math.min(...losses)));
    expect(model.training.validationLoss).toBe(Math.min(...losses));
    expect(model.training.epochs).toBe(model.training.bestEpoch + 5);
    expect(model.training).toMatchObject({ rows: 72, validationRows: 18 });
  });

  it('watches the training loss when there are no rows to validate on', () => {
    const constant = { inputs: new Float64Array(8), targets: new Float64Array(4), rows: 4, dimension: 2, outputs: 1 };
    const { model } = run(constant, { ...defaults, validationFraction: 0.2, patience: 3, epochs: 1000 });
    expect(model.training).toMatchObject({ validationRows: 0, validationLoss: null, trainLoss: 0, epochs: 4 });
  });

  it('keeps the last weights when patience is off', () => {
    const data = smoothData(40, 3, 1, 7);
    const { model } = run(data, { ...defaults, epochs: 9 });
    expect(model.training).toMatchObject({ epochs: 9, bestEpoch: 9 });
  });

  it('depends on the seed, and on nothing else', () => {
    const data = smoothData(40, 3, 1, 7);
    expect(run(data, defaults)).toEqual(run(data, defaults));
    expect(run(data, { ...defaults, seed: 43 }).model.weights).not.toBe(run(data, defaults).model.weights);
  });

  it('refuses to step beyond the end and to finish before the beginning', () => {
    const trainer = MlpTrainer.create(module, smoothData(10, 2, 1, 1), { ...defaults, epochs: 1 });
    expect(() => trainer.finish()).toThrow('no model before the first epoch');
    trainer.step();
    expect(() => trainer.step()).toThrow('Training is done');
  });
});

describe('MlpPredictor', () => {
  const data = smoothData(700, 3, 2, 3);
  const models = [
    run(data, { ...defaults, epochs: 3, seed: 1 }).model,
    run(data, { ...defaults, epochs: 3, seed: 2, hidden: [9], activation: 'tanh' }).model,
    run(data, { ...defaults, epochs: 3, seed: 3, hidden: [] }).model,
  ];
  const predictor = new MlpPredictor(module, models);

  it('gives mean and spread of its members', () => {
    const members = predictor.members(data.inputs, 700);
    const { mean, std } = predictor.predict(data.inputs, 700);
    for (let i = 0; i < mean.length; i++) {
      const values = members.map((member) => member[i]!);
      const average = values.reduce((sum, value) => sum + value, 0) / 3;
      expect(mean[i]).toBeCloseTo(average, 9);
      const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / 3;
      expect(std[i]).toBeCloseTo(Math.sqrt(variance), 9);
    }
  });

  it('gives a row the same bits alone and among others', () => {
    const { mean, std } = predictor.predict(data.inputs, 700);
    for (const row of [0, 1, 63, 64, 511, 512, 699]) {
      const alone = predictor.predict(data.inputs.slice(3 * row, 3 * row + 3), 1);
      expect(alone.mean).toEqual(mean.slice(2 * row, 2 * row + 2));
      expect(alone.std).toEqual(std.slice(2 * row, 2 * row + 2));
    }
  });

  it('gives each member what it gives as a predictor of its own', () => {
    const members = predictor.members(data.inputs, 700);
    models.forEach((model, i) => {
      const { mean, std } = new MlpPredictor(module, [model]).predict(data.inputs, 700);
      expect(members[i]).toEqual(mean);
      expect(std.every((value) => value === 0)).toBe(true);
    });
  });

  it('predicts into arrays of the caller', () => {
    const mean = new Float64Array(20);
    const std = new Float64Array(20);
    predictor.predictInto(data.inputs.subarray(0, 30), 10, mean, std);
    expect({ mean, std }).toEqual(predictor.predict(data.inputs.slice(0, 30), 10));
  });

  it('takes no rows for an answer', () => {
    expect(predictor.predict(new Float64Array(0), 0)).toEqual({ mean: new Float64Array(0), std: new Float64Array(0) });
  });

  it('stays finite far outside the data', () => {
    const { mean, std } = predictor.predict(Float64Array.of(1e300, -1e300, 0), 1);
    expect([...mean, ...std].every(Number.isFinite)).toBe(true);
  });
});
