import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  classScores,
  classTemperature,
  conformalCoverage,
  conformalFactor,
  gaussianScores,
  othersScales2,
  stdScale,
  withTemperature,
} from '../../../kernels/calibration/index.ts';
import type { ClassPredictions, ClassScores, GaussianPredictions } from '../../../kernels/calibration/index.ts';
import { KernelInputError, instantiate, math } from '../../../kernels/index.ts';
import { Rng } from '../../../kernels/rng/index.ts';
import { kernelModule } from './load.ts';

interface Golden {
  gaussian: GaussianPredictions & { nll: number; crps: number; coverage: Record<string, number>; scale: number };
  classes: ClassPredictions & ClassScores & { temperature: number };
}

const functions = math(instantiate(await kernelModule()));
const golden = JSON.parse(
  await readFile(new URL('../golden/calibration/peers.json', import.meta.url), 'utf8'),
) as Golden;

function expectFault(field: string, work: () => unknown): void {
  expect(work).toThrow(KernelInputError);
  expect(work).toThrow(new RegExp(`^${field.replace(/[[\]]/g, '\\$&')}:`));
}

/** Predictions of N numbers with the spread 1, whose errors are `scale` times normal. */
function drawn(n: number, scale: number, seed: number): GaussianPredictions {
  const rng = new Rng(seed, 3);
  const mean = Float64Array.from({ length: n }, () => 10 * rng.normal());
  return { mean, std: new Float64Array(n).fill(1), y: mean.map((m) => m + scale * rng.normal()) };
}

describe('scores of normal distributions', () => {
  it('are those of PyTorch and SciPy', () => {
    const { nll, crps, coverage } = gaussianScores(functions, golden.gaussian);
    expect(nll).toBeCloseTo(golden.gaussian.nll, 12);
    expect(crps).toBeCloseTo(golden.gaussian.crps, 10);
    expect(coverage).toEqual(golden.gaussian.coverage);
  });

  it('count a squared scale as a wider distribution', () => {
    const { mean, std, y } = golden.gaussian;
    const wider = { mean, std: Array.from(std, (s) => 3 * s), y };
    const scaled = gaussianScores(functions, golden.gaussian, new Float64Array(y.length).fill(9));
    const expected = gaussianScores(functions, wider);
    expect(scaled.nll).toBeCloseTo(expected.nll, 12);
    expect(scaled.crps).toBeCloseTo(expected.crps, 12);
    expect(scaled.coverage).toEqual(expected.coverage);
  });

  it('say of honest predictions that they cover what they promise', () => {
    const { coverage } = gaussianScores(functions, drawn(20_000, 1, 1));
    expect(coverage[50]).toBeCloseTo(0.5, 1);
    expect(Math.abs(coverage[90] - 0.9)).toBeLessThan(0.01);
    expect(Math.abs(coverage[95] - 0.95)).toBeLessThan(0.01);
  });
});

describe('the scale of standard deviations', () => {
  it('is that under which the rows are likeliest', () => {
    expect(stdScale(golden.gaussian)).toBeCloseTo(golden.gaussian.scale, 7);
  });

  it('makes up for errors that are larger than predicted', () => {
    const predictions = drawn(5000, 2.5, 2);
    const scale = stdScale(predictions);
    expect(scale).toBeGreaterThan(2.4);
    expect(scale).toBeLessThan(2.6);
    const before = gaussianScores(functions, predictions);
    const after = gaussianScores(functions, predictions, new Float64Array(5000).fill(scale * scale));
    expect(before.coverage[90]).toBeLessThan(0.55);
    expect(Math.abs(after.coverage[90] - 0.9)).toBeLessThan(0.02);
    expect(after.nll).toBeLessThan(before.nll);
    expect(after.crps).toBeLessThan(before.crps);
  });

  it('of the others leaves the row itself out', () => {
    const predictions = { mean: [0, 0, 0], std: [1, 2, 1], y: [3, 2, -1] };
    // z² are 9, 1 and 1.
    expect([...othersScales2(predictions)]).toEqual([1, 5, 5]);
    expect([...othersScales2({ mean: [0], std: [1], y: [7] })]).toEqual([1]);
  });

  it('stays above 0 when there is no error', () => {
    const exact = { mean: [1, 2], std: [1, 1], y: [1, 2] };
    expect(stdScale(exact)).toBeGreaterThan(0);
    expect(Number.isFinite(gaussianScores(functions, exact, othersScales2(exact)).nll)).toBe(true);
  });
});

describe('conformal intervals', () => {
  it('end at the residual of the right rank', () => {
    const predictions = {
      mean: new Float64Array(9),
      std: new Float64Array(9).fill(2),
      y: [2, -4, 6, 8, -10, 12, 14, 16, 18],
    };
    // Ranks among 9 rows: ⌈10·0.5⌉ = 5, ⌈10·0.9⌉ = 9, ⌈10·0.91⌉ = 10, which is one too many.
    expect(conformalFactor(predictions, 0.5)).toBe(5);
    expect(conformalFactor(predictions, 0.9)).toBe(9);
    expect(conformalFactor(predictions, 0.91)).toBe(Infinity);
    expect(conformalFactor(predictions, 0.01)).toBe(1);
  });

  it.each([0.5, 0.9, 0.95])('cover %f of further rows, though errors are not normal', (coverage) => {
    const rng = new Rng(4, 4);
    const skewed = (n: number): GaussianPredictions => {
      const std = Float64Array.from({ length: n }, () => 0.1 + rng.uniform());
      const z = Float64Array.from({ length: n }, () => rng.normal());
      return { mean: new Float64Array(n), std, y: std.map((s, i) => s * z[i]! * z[i]! * z[i]!) };
    };
    const factor = conformalFactor(skewed(2000), coverage);
    const { std, y } = skewed(20_000);
    const inside = Array.from(y).filter((value, i) => Math.abs(value) <= factor * std[i]!).length / 20_000;
    expect(Math.abs(inside - coverage)).toBeLessThan(0.03);
    expect(Math.abs(conformalCoverage(skewed(2000), coverage) - coverage)).toBeLessThan(0.03);
  });

  it('are judged by the rows of the other half', () => {
    const predictions = { mean: [0, 0, 0, 0], std: [1, 1, 1, 1], y: [1, 10, 2, 20] };
    // The even rows give 2, which holds none of the odd; the odd give 20, which holds both even rows.
    expect(conformalCoverage(predictions, 0.6)).toBe(0.5);
    expect(conformalCoverage({ mean: [0], std: [1], y: [1] }, 0.5)).toBeNaN();
  });
});

describe('scores of classes', () => {
  it('are those of scikit-learn', () => {
    const { accuracy, log_loss: logLoss, brier } = classScores(functions, golden.classes);
    expect(accuracy).toBeCloseTo(golden.classes.accuracy, 12);
    expect(logLoss).toBeCloseTo(golden.classes.log_loss, 10);
    expect(brier).toBeCloseTo(golden.classes.brier, 10);
  });

  it('have the calibration error that is counted by hand', () => {
    // Two bins: confidences 0.5 and 0.5 (one of two right), and 0.75 and 1 (one of two right).
    const probabilities = [0.5, 0.5, 0.5, 0.5, 0.75, 0.25, 0, 1];
    const { ece } = classScores(functions, { probabilities, labels: [0, 1, 1, 1], classes: 2 }, 2);
    expect(ece).toBeCloseTo(0.5 * Math.abs(0.5 - 0.5) + 0.5 * Math.abs(0.5 - 0.875), 15);
  });

  it('stay finite when the true class was thought impossible', () => {
    const { log_loss: logLoss } = classScores(functions, { probabilities: [1, 0], labels: [1], classes: 2 });
    expect(logLoss).toBeCloseTo(34.539, 3);
  });
});

describe('the temperature of classes', () => {
  it('is that under which the rows are likeliest', () => {
    const temperature = classTemperature(functions, golden.classes);
    expect(temperature).toBeCloseTo(golden.classes.temperature, 5);
    const { classes, labels } = golden.classes;
    const probabilities = withTemperature(functions, golden.classes.probabilities, classes, temperature);
    const [before, after] = [golden.classes, { probabilities, labels, classes }].map((p) => classScores(functions, p));
    expect(after!.log_loss).toBeLessThan(before!.log_loss);
    expect(after!.ece).toBeLessThan(before!.ece);
    expect(after!.accuracy).toBe(before!.accuracy);
  });

  it('changes nothing at 1', () => {
    const { probabilities, classes } = golden.classes;
    const same = withTemperature(functions, probabilities, classes, 1);
    same.forEach((p, i) => {
      expect(p).toBeCloseTo(probabilities[i]!, 12);
    });
  });
});

describe('predictions are refused', () => {
  const good = { mean: [1, 2], std: [1, 1], y: [1, 3] };
  it.each<[string, Partial<GaussianPredictions>]>([
    ['y', { y: [], mean: [], std: [] }],
    ['mean', { mean: [1] }],
    ['std', { std: [1, 1, 1] }],
    ['y[1]', { y: [1, NaN] }],
    ['mean[0]', { mean: [Infinity, 0] }],
    ['std[1]', { std: [1, 0] }],
    ['std[0]', { std: [-1, 1] }],
  ])('for their %s: %j', (field, change) => {
    const bad = { ...good, ...change };
    expectFault(field, () => gaussianScores(functions, bad));
    expectFault(field, () => stdScale(bad));
    expectFault(field, () => conformalFactor(bad, 0.9));
    expectFault(field, () => conformalCoverage(bad, 0.9));
  });

  it.each([0, 1, -0.5, NaN])('for a coverage of %f', (coverage) => {
    expectFault('coverage', () => conformalFactor(good, coverage));
    expectFault('coverage', () => conformalCoverage(good, coverage));
  });

  const classes = { probabilities: [0.5, 0.5, 0.2, 0.8], labels: [0, 1], classes: 2 };
  it.each<[string, Partial<ClassPredictions>]>([
    ['classes', { classes: 1 }],
    ['labels', { labels: [] }],
    ['labels[1]', { labels: [0, 2] }],
    ['probabilities', { probabilities: [1, 0] }],
    ['probabilities[1]', { probabilities: [0.5, NaN, 0, 1] }],
    ['probabilities[2]', { probabilities: [0.5, 0.5, 0.5, 0.8] }],
    ['probabilities[3]', { probabilities: [0.5, 0.5, 0, 1.1] }],
  ])('for the %s of classes: %j', (field, change) => {
    expectFault(field, () => classScores(functions, { ...classes, ...change }));
    expectFault(field, () => classTemperature(functions, { ...classes, ...change }));
  });

  it('for a temperature that is none', () => {
    expectFault('temperature', () => withTemperature(functions, [0.5, 0.5], 2, 0));
    expectFault('probabilities', () => withTemperature(functions, [0.5, 0.5, 1], 2, 1));
  });
});
