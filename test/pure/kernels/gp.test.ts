import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { TOLERANCE, checkOptions } from '../../../kernels/gp/contract.ts';
import { GpPredictor, GpTrainer } from '../../../kernels/gp/index.ts';
import type { GpModel, Hyperparameters, TrainingSet } from '../../../kernels/gp/index.ts';
import { makeModel } from '../../../kernels/gp/model.ts';
import { GaussianProcess, instantiateGp } from '../../../kernels/gp/process.ts';
import { condition, k, posteriorCovariance, predict } from '../../../kernels/gp/reference.ts';
import { scaleTable } from '../../../kernels/gp/tables.ts';
import { bumpyData } from './gp-bumpy.ts';
import { goldenCases, rowsOf, trainingSet } from './gp-data.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();
const golden = await goldenCases();

const average = checkOptions({ mean: 'average' });

/** The process at given hyper-parameters. */
function conditioned(data: TrainingSet, parameters: Hyperparameters, options = average) {
  const table = scaleTable(data);
  const process = new GaussianProcess(instantiateGp(module), table, options, 'training');
  process.setTargets(table.targets[0]!.values);
  expect(process.condition(parameters)).toBe(0);
  return { process, table };
}

function modelAt(data: TrainingSet, parameters: Hyperparameters, options = average): GpModel {
  const outputs = Array.from({ length: data.outputs }, () => ({ ...parameters, jitter: 0, logMarginalLikelihood: 0 }));
  return makeModel(data, options, outputs);
}

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThanOrEqual(tolerance);
  }
}

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

describe.each(golden)('against scikit-learn ($name)', (example) => {
  const data = trainingSet(example);
  const options = checkOptions({ covariance: example.covariance, mean: 'average' });

  it('has the same log marginal likelihood and gradient at given hyper-parameters', () => {
    const { process } = conditioned(data, example, options);
    const { logMarginalLikelihood, gradient } = example;
    expectNear([process.likelihood], [logMarginalLikelihood], TOLERANCE.likelihood * Math.abs(logMarginalLikelihood));
    expectNear(process.gradient(), gradient, TOLERANCE.likelihood * largest(gradient));
  });

  it('predicts the same mean and standard deviation, with and without noise', () => {
    const predictor = new GpPredictor(module, modelAt(data, example, options));
    const x = Float64Array.from(example.queries);
    const tolerance = TOLERANCE.prediction * scaleTable(data).targets[0]!.scale;
    const latent = predictor.predict(x, 7);
    expectNear(latent.mean, example.mean, tolerance);
    expectNear(latent.std, example.std, tolerance);
    const observed = predictor.predict(x, 7, true);
    expect(observed.mean).toEqual(latent.mean);
    expectNear(observed.std, example.stdWithNoise, tolerance);
  });

  it('finds hyper-parameters that are at least as likely', () => {
    const trainer = GpTrainer.create(module, data, { ...options, starts: 5 });
    while (!trainer.done) trainer.step();
    const { logMarginalLikelihood } = trainer.finish().outputs[0]!;
    expect(logMarginalLikelihood).toBeGreaterThanOrEqual(example.optimisedLogMarginalLikelihood - 1e-5);
  });
});

describe.each(['matern32', 'matern52', 'rbf'] as const)('against the book (%s)', (covariance) => {
  const parameters = { signalVariance: 1.4, noiseVariance: 0.02, lengthScales: [0.3, 0.9, 1.7] };
  const data = bumpyData(37, 3, 1, 11);
  const options = checkOptions({ covariance, mean: 'fitted' });
  const { process, table } = conditioned(data, parameters, options);
  const x = rowsOf(table.inputs, 3);
  const y = [...table.targets[0]!.values];
  const book = condition(covariance, parameters, x, y, true);

  it('has the same likelihood and the same fitted mean', () => {
    expectNear([process.likelihood], [book.logLikelihood], TOLERANCE.likelihood * Math.abs(book.logLikelihood));
    expectNear([process.mean], [book.m], TOLERANCE.prediction);
  });

  it('has the gradient that differences of the likelihood have', () => {
    const { signalVariance, noiseVariance, lengthScales } = parameters;
    const theta = [signalVariance, noiseVariance, ...lengthScales].map(Math.log);
    const likelihoodAt = (moved: number[]) => {
      const [signal, noise, ...lengths] = moved.map(Math.exp);
      const at = { signalVariance: signal!, noiseVariance: noise!, lengthScales: lengths };
      return condition(covariance, at, x, y, true).logLikelihood;
    };
    const h = 1e-5;
    const differences = theta.map((_, i) => {
      const moved = (by: number) => likelihoodAt(theta.map((value, j) => value + (i === j ? by : 0)));
      return (moved(h) - moved(-h)) / (2 * h);
    });
    expectNear(process.gradient(), differences, 1e-6 * largest(differences));
  });

  it('predicts the same', () => {
    const predictor = new GpPredictor(module, modelAt(data, parameters, options));
    const { offset, scale } = table.targets[0]!;
    const queries = bumpyData(9, 3, 1, 12).inputs;
    const { mean, std } = predictor.predict(queries, 9);
    const { box } = table;
    rowsOf(queries, 3).forEach((query, row) => {
      const star = query.map((value, d) => (value - box.offset[d]!) / box.scale[d]!);
      const expected = predict(covariance, parameters, x, book, star);
      expectNear([mean[row]!], [offset + scale * expected.mean], TOLERANCE.prediction * scale);
      expectNear([std[row]!], [scale * Math.sqrt(expected.variance)], TOLERANCE.prediction * scale);
    });
  });

  it('says about each row what a process without that row says', () => {
    const { mean, std } = new GpPredictor(module, modelAt(data, parameters, options)).leaveOneOut();
    const { offset, scale } = table.targets[0]!;
    for (const left of [0, 17, 36]) {
      const others = (_: unknown, row: number) => row !== left;
      // The constant mean stays that of all rows.
      const centred = y.map((value) => value - book.m);
      const rest = condition(covariance, parameters, x.filter(others), centred.filter(others), false);
      const expected = predict(covariance, parameters, x.filter(others), rest, x[left]!);
      expectNear([mean[left]!], [offset + scale * (book.m + expected.mean)], TOLERANCE.prediction * scale);
      expectNear([std[left]!], [scale * Math.sqrt(expected.variance + 0.02)], TOLERANCE.prediction * scale);
    }
  });
});

describe('GpPredictor', () => {
  const parameters = { signalVariance: 1.2, noiseVariance: 0.01, lengthScales: [0.5, 0.8] };
  const data = bumpyData(150, 2, 2, 4);
  const predictor = new GpPredictor(module, modelAt(data, parameters));
  const queries = bumpyData(200, 2, 1, 5).inputs;

  it('gives a row the same bits alone and among others', () => {
    const { mean, std } = predictor.predict(queries, 200);
    for (const row of [0, 1, 2, 3, 62, 63, 64, 65, 199]) {
      const alone = predictor.predict(queries.slice(2 * row, 2 * row + 2), 1);
      expect(alone.mean).toEqual(mean.slice(2 * row, 2 * row + 2));
      expect(alone.std).toEqual(std.slice(2 * row, 2 * row + 2));
    }
  });

  it('has a process of its own for each target', () => {
    const { mean, std } = predictor.predict(queries, 200);
    for (const k of [0, 1]) {
      const targets = data.targets.filter((_, i) => i % 2 === k);
      const single = new GpPredictor(module, modelAt({ ...data, targets, outputs: 1 }, parameters));
      const alone = single.predict(queries, 200);
      expect(alone.mean).toEqual(mean.filter((_, i) => i % 2 === k));
      expect(alone.std).toEqual(std.filter((_, i) => i % 2 === k));
    }
  });

  it('predicts into arrays of the caller, after samples and residuals took memory too', () => {
    const mean = new Float64Array(20);
    const std = new Float64Array(20);
    const before = predictor.predict(queries.slice(0, 20), 10);
    predictor.leaveOneOut();
    predictor.sample(queries, 200, { samples: 1, seed: 1 });
    predictor.predictInto(queries.subarray(0, 20), 10, mean, std);
    expect({ mean, std }).toEqual(before);
  });

  it('takes no rows for an answer', () => {
    expect(predictor.predict(new Float64Array(0), 0)).toEqual({ mean: new Float64Array(0), std: new Float64Array(0) });
    expect(predictor.sample(new Float64Array(0), 0, { samples: 3, seed: 1 })).toHaveLength(0);
  });

  it('returns to the mean and the full uncertainty far from all rows', () => {
    const { mean, std } = predictor.predict(Float64Array.of(1e300, -1e300), 1);
    const { targets } = scaleTable(data);
    targets.forEach(({ offset, scale }, k) => {
      expect(mean[k]).toBeCloseTo(offset, 9);
      expect(std[k]).toBeCloseTo(scale * Math.sqrt(1.2), 9);
    });
  });

  it.each([
    ['rows', () => predictor.predict(queries, -1)],
    ['x', () => predictor.predict(queries, 1)],
    ['x[1]', () => predictor.predict(Float64Array.of(0, NaN), 1)],
    ['mean', () => predictor.predictInto(queries, 200, new Float64Array(1), new Float64Array(400))],
    ['std', () => predictor.predictInto(queries, 200, new Float64Array(400), new Float64Array(1))],
    ['samples', () => predictor.sample(queries, 200, { samples: 0, seed: 1 })],
    ['seed', () => predictor.sample(queries, 200, { samples: 1, seed: -1 })],
    ['rows', () => predictor.sample(new Float64Array(4002), 2001, { samples: 1, seed: 1 })],
  ])('refuses a fault in %s by name', (field, act) => {
    expect(act).toThrow(KernelInputError);
    expect(act).toThrow(new RegExp(`^${field.replace(/[[\]]/g, '\\$&')}:`));
  });
});

describe('joint samples', () => {
  const parameters = { signalVariance: 1.2, noiseVariance: 0.05, lengthScales: [0.4] };
  const data = bumpyData(11, 1, 1, 8);
  const predictor = new GpPredictor(module, modelAt(data, parameters));
  const points = Float64Array.of(-1.9, -0.4, 0.1, 0.15, 1.5);
  const samples = 10_000;
  const draws = predictor.sample(points, 5, { samples, seed: 3 });

  it('have the means and covariances of the posterior', () => {
    const table = scaleTable(data);
    const x = rowsOf(table.inputs, 1);
    const { scale, offset, values } = table.targets[0]!;
    const book = condition('matern52', parameters, x, [...values], false);
    const stars = [...points].map((point) => [(point - table.box.offset[0]!) / table.box.scale[0]!]);
    const z = Float64Array.from(draws, (value) => (value - offset) / scale);
    const mean = (f: (s: number) => number) => {
      let sum = 0;
      for (let s = 0; s < samples; s++) sum += f(s);
      return sum / samples;
    };
    const means = stars.map((star) => predict('matern52', parameters, x, book, star).mean);
    stars.forEach((a, i) => {
      // Five standard errors.
      expect(Math.abs(mean((s) => z[5 * s + i]!) - means[i]!)).toBeLessThan(5 * Math.sqrt(1.2 / samples));
      stars.forEach((b, j) => {
        const measured = mean((s) => (z[5 * s + i]! - means[i]!) * (z[5 * s + j]! - means[j]!));
        const expected = posteriorCovariance('matern52', parameters, x, book, a, b);
        expect(Math.abs(measured - expected)).toBeLessThan(5 * 1.2 * Math.sqrt(2 / samples));
      });
    });
  });

  it('depend on seed and stream, and on nothing else', () => {
    expect(predictor.sample(points, 5, { samples: 7, seed: 3 })).toEqual(draws.slice(0, 35));
    expect(predictor.sample(points, 5, { samples: 7, seed: 4 })).not.toEqual(draws.slice(0, 35));
    expect(predictor.sample(points, 5, { samples: 7, seed: 3, stream: 1 })).not.toEqual(draws.slice(0, 35));
  });

  it('agree where points are equal, and pass through rows without noise', () => {
    const exact = new GpPredictor(module, modelAt(data, { ...parameters, noiseVariance: 1e-10 }));
    const x = Float64Array.of(0.3, 0.3, data.inputs[4]!);
    const [a, b, c] = exact.sample(x, 3, { samples: 1, seed: 1 });
    expect(Math.abs(a! - b!)).toBeLessThan(1e-3);
    expect(Math.abs(c! - data.targets[4]!)).toBeLessThan(1e-3);
  });

  it('use the covariance function of the model', () => {
    const rough = new GpPredictor(
      module,
      modelAt(data, parameters, checkOptions({ covariance: 'rbf', mean: 'average' })),
    );
    expect(rough.sample(points, 5, { samples: 7, seed: 3 })).not.toEqual(draws.slice(0, 35));
    expect(k('rbf', parameters, [0], [0])).toBe(1.2);
  });
});
