import { describe, expect, it } from 'vitest';
import { gaussianScores } from '../../../kernels/calibration/index.ts';
import { instantiate, math } from '../../../kernels/index.ts';
import { MlpPredictor, MlpTrainer } from '../../../kernels/mlp/index.ts';
import type { EpochReport, MlpModel, MlpOptions, TrainingSet } from '../../../kernels/mlp/index.ts';
import { splitRows } from '../../../kernels/mlp/data.ts';
import { rowLoss } from '../../../kernels/mlp/reference-loss.ts';
import { dropoutFactors } from '../../../kernels/mlp/reference.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import { kernelModule } from './load.ts';
import { classData, defaults, smoothData } from './mlp-data.ts';

const module = await kernelModule();

function run(data: TrainingSet, options: Partial<MlpOptions>): { reports: EpochReport[]; model: MlpModel } {
  const trainer = MlpTrainer.create(module, data, { ...defaults, ...options });
  const reports: EpochReport[] = [];
  while (!trainer.done) reports.push(trainer.step());
  return { reports, model: trainer.finish() };
}

/** y = 3x + noise, whose standard deviation is 0.1 left of 0 and 1 right of it. */
function unevenNoise(rows: number, seed: number): TrainingSet {
  const rng = new Rng(seed, 8);
  const inputs = Float64Array.from({ length: rows }, () => 4 * rng.uniform() - 2);
  const targets = inputs.map((x) => 3 * x + (x < 0 ? 0.1 : 1) * rng.normal());
  return { inputs, targets, rows, dimension: 1, outputs: 1 };
}

describe('a network with a noise of each row', () => {
  const data = unevenNoise(1500, 1);
  const noisy: Partial<MlpOptions> = { loss: 'gaussian_nll', activation: 'tanh', epochs: 120, weightDecay: 1e-5 };
  const models = [1, 2, 3].map((seed) => run(data, { ...noisy, seed, patience: 30 }).model);
  const predictor = new MlpPredictor(module, models);

  it('learns where the noise is', () => {
    const { mean, aleatoric } = predictor.predictParts(Float64Array.of(-1, 1), 2);
    expect(Math.abs(mean[0]! + 3)).toBeLessThan(0.15);
    expect(Math.abs(mean[1]! - 3)).toBeLessThan(0.3);
    expect(aleatoric[0]).toBeGreaterThan(0.07);
    expect(aleatoric[0]).toBeLessThan(0.15);
    expect(aleatoric[1]).toBeGreaterThan(0.8);
    expect(aleatoric[1]).toBeLessThan(1.25);
  });

  it('is likelier than one noise for all, and covers what it promises', () => {
    const { inputs, targets: y, rows } = unevenNoise(2000, 2);
    const { mean, std } = predictor.predict(inputs, rows);
    const functions = math(instantiate(module));
    const { nll, coverage } = gaussianScores(functions, { mean, std, y });
    const error = Math.sqrt(y.reduce((sum, value, i) => sum + (value - mean[i]!) ** 2, 0) / rows);
    const even = gaussianScores(functions, { mean, std: std.map(() => error), y });
    expect(nll).toBeLessThan(even.nll - 0.3);
    expect(Math.abs(coverage[90] - 0.9)).toBeLessThan(0.04);
  });

  it('splits its standard deviation into what members do not know and what cannot be known', () => {
    const x = Float64Array.from({ length: 700 }, (_, i) => i / 100 - 3.5);
    const { mean, std, epistemic, aleatoric } = predictor.predictParts(x, 700);
    const members = predictor.members(x, 700);
    const alone = models.map((model) => new MlpPredictor(module, [model]).predictParts(x, 700));
    for (let i = 0; i < 700; i++) {
      const average = members.reduce((sum, member) => sum + member[i]!, 0) / 3;
      const spread = members.reduce((sum, member) => sum + (member[i]! - average) ** 2, 0) / 3;
      const noise = alone.reduce((sum, one) => sum + one.aleatoric[i]! ** 2, 0) / 3;
      expect(mean[i]).toBeCloseTo(average, 9);
      expect(epistemic[i]).toBeCloseTo(Math.sqrt(spread), 9);
      expect(aleatoric[i]).toBeCloseTo(Math.sqrt(noise), 9);
      expect(std[i]).toBeCloseTo(Math.sqrt(spread + noise), 9);
    }
    expect(alone[0]!.epistemic.every((value) => value === 0)).toBe(true);
    expect(alone[0]!.std).toEqual(alone[0]!.aleatoric);
  });

  it('scales its noise with the units of the target', () => {
    const inches = run({ ...data, targets: data.targets.map((y) => 1000 * y) }, { ...noisy, epochs: 20 }).model;
    const metres = run(data, { ...noisy, epochs: 20 }).model;
    const noise = (model: MlpModel): number =>
      new MlpPredictor(module, [model]).predictParts(Float64Array.of(1), 1).aleatoric[0]!;
    expect(noise(inches) / noise(metres) / 1000).toBeCloseTo(1, 3);
  });

  it('keeps the weights of the least loss, which may be negative', () => {
    const { reports, model } = run(data, { ...noisy, learningRate: 0.03, patience: 6, epochs: 400 });
    const losses = reports.map(({ validationLoss }) => validationLoss!);
    expect(model.training.bestEpoch).toBe(1 + losses.indexOf(Math.min(...losses)));
    expect(model.training.validationLoss).toBeLessThan(0);
    expect(model.training.epochs).toBe(model.training.bestEpoch + 6);
  });

  it('of another kind has nothing that cannot be known', () => {
    const plain = new MlpPredictor(module, [run(data, { epochs: 2 }).model, run(data, { epochs: 2, seed: 2 }).model]);
    const { std, epistemic, aleatoric } = plain.predictParts(data.inputs, data.rows);
    expect(epistemic).toEqual(std);
    expect(aleatoric.every((value) => value === 0)).toBe(true);
  });

  it('follows with β = 1 the gradient of the squared error in its means, however large it thinks the noise', () => {
    for (const logVariance of [-5, 0, 3]) {
      const outputs = Float64Array.of(0.7, -2, logVariance, logVariance);
      const y = Float64Array.of(0.2, 1);
      const { delta } = rowLoss({ loss: 'gaussian_nll', beta: 1 }, outputs, y);
      expect(delta[0]).toBeCloseTo(0.5, 12);
      expect(delta[1]).toBeCloseTo(-3, 12);
    }
  });

  it('takes from beyond the bounds of its log-variance only the way back', () => {
    const delta = (error: number, logVariance: number): number =>
      rowLoss({ loss: 'gaussian_nll', beta: 0 }, Float64Array.of(error, logVariance), Float64Array.of(0)).delta[1]!;
    expect(delta(0, -17)).toBe(0);
    expect(delta(1, -17)).toBeLessThan(-1e6);
    expect(delta(1e6, 17)).toBe(0);
    expect(delta(0, 17)).toBe(0.5);
  });
});

describe('a network of classes', () => {
  const data = classData(600, 4, 3, 3);
  const options: Partial<MlpOptions> = { loss: 'log_loss', hidden: [32, 32], epochs: 200, weightDecay: 1e-5 };
  const models = [1, 2].map((seed) => run(data, { ...options, seed, patience: 20 }).model);
  const predictor = new MlpPredictor(module, models);
  const share = (labels: ArrayLike<number>, of: TrainingSet): number =>
    Array.from(labels).filter((label, i) => label === of.targets[i]).length / of.rows;

  it('tells classes of further rows', () => {
    // The parts of the range are those of the rows, so that the further ones come from the same set.
    const all = classData(1000, 4, 3, 3);
    const half = { ...all, inputs: all.inputs.slice(0, 2400), targets: all.targets.slice(0, 600), rows: 600 };
    const rest = { ...all, inputs: all.inputs.slice(2400), targets: all.targets.slice(600), rows: 400 };
    const { model } = run(half, { ...options, patience: 20 });
    expect(share(new MlpPredictor(module, [model]).classify(rest.inputs, 400), rest)).toBeGreaterThan(0.85);
  });

  it('averages the probabilities of its members, which sum to 1', () => {
    const { mean, std } = predictor.predict(data.inputs, data.rows);
    const members = predictor.members(data.inputs, data.rows);
    expect(predictor.outputs).toBe(3);
    for (let row = 0; row < data.rows; row++) {
      const [p, q] = members.map((member) => member.subarray(3 * row, 3 * row + 3)) as [Float64Array, Float64Array];
      for (let c = 0; c < 3; c++) {
        expect(mean[3 * row + c]).toBeCloseTo((p[c]! + q[c]!) / 2, 12);
        expect(std[3 * row + c]).toBeCloseTo(Math.abs(p[c]! - q[c]!) / 2, 12);
      }
      expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
    }
  });

  it('names the likeliest class, of equals the first', () => {
    const { mean } = predictor.predict(data.inputs, data.rows);
    predictor.classify(data.inputs, data.rows).forEach((label, row) => {
      const p = mean.subarray(3 * row, 3 * row + 3);
      expect(p.every((value, c) => value < p[label]! || (value === p[label] && c >= label))).toBe(true);
    });
  });

  it('reports as its loss the log-loss of its probabilities', () => {
    const own = { ...defaults, ...options, epochs: 30, validationFraction: 0.3 };
    const { model } = run(data, own);
    const { mean } = new MlpPredictor(module, [model]).predict(data.inputs, data.rows);
    const held = splitRows(data.rows, own).validation;
    const sum = held.reduce((total, row) => total - Math.log(mean[3 * row + data.targets[row]!]!), 0);
    expect(sum / held.length).toBeCloseTo(model.training.validationLoss!, 5);
  });

  it('keeps probabilities finite far outside the data', () => {
    const { mean } = predictor.predict(Float64Array.of(1e300, -1e300, 0, 5), 1);
    expect(mean.every(Number.isFinite)).toBe(true);
    expect(mean.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
  });
});

describe('dropout', () => {
  it('drops the share that it is told, and keeps the mean', () => {
    const factors = Array.from({ length: 2000 }, (_, place) => [
      ...dropoutFactors({ seed: 4, dropout: 0.3 }, 2, 1, place, 13),
    ]).flat();
    expect(Math.abs(factors.filter((factor) => factor === 0).length / factors.length - 0.3)).toBeLessThan(0.01);
    expect(new Set(factors)).toEqual(new Set([0, 1 / 0.7]));
  });

  it('drops other units in each epoch, layer and row, and by another seed', () => {
    const mask = (seed: number, epoch: number, layer: number, place: number): string =>
      dropoutFactors({ seed, dropout: 0.5 }, epoch, layer, place, 32).join();
    const masks = [mask(1, 0, 0, 0), mask(2, 0, 0, 0), mask(1, 1, 0, 0), mask(1, 0, 1, 0), mask(1, 0, 0, 1)];
    expect(new Set(masks).size).toBe(5);
  });

  it('is not used for validation or predictions', () => {
    const data = smoothData(80, 3, 1, 5);
    const { reports, model } = run(data, { dropout: 0.5, epochs: 5, patience: 100, validationFraction: 0 });
    const predict = (): Float64Array => new MlpPredictor(module, [model]).predict(data.inputs, 80).mean;
    expect(predict()).toEqual(predict());
    expect(reports).toHaveLength(5);
    // Trained on the same rows as it is validated on, a network without dropout has the same loss on both, but for its last steps.
    const still = { learningRate: 1e-12, epochs: 2, validationFraction: 0.5 };
    const [first, second] = run(data, { ...still, dropout: 0.5 }).reports;
    expect(first!.validationLoss).toBeCloseTo(second!.validationLoss!, 6);
    expect(first!.validationLoss).toBeCloseTo(run(data, still).reports[0]!.validationLoss!, 6);
    expect(Math.abs(first!.trainLoss - second!.trainLoss)).toBeGreaterThan(1e-3);
  });

  it('does not depend on how rows fall into batches', () => {
    // With steps too small to matter the loss of an epoch is a sum over rows, each with its own dropped units.
    const data = smoothData(60, 3, 1, 5);
    const still = { learningRate: 1e-12, epochs: 1, validationFraction: 0, dropout: 0.4 };
    const [seven, sixty] = [7, 60].map((batchSize) => run(data, { ...still, batchSize }).reports[0]!.trainLoss);
    expect(seven! / sixty!).toBeCloseTo(1, 5);
  });
});
