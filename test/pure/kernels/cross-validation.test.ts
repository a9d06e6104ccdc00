import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { forestEstimator } from '../../../kernels/forest/index.ts';
import { MlpPredictor, MlpTrainer } from '../../../kernels/mlp/index.ts';
import {
  accuracy,
  combineFolds,
  crossValidate,
  kFolds,
  logLoss,
  permutationImportance,
  r2,
  rmse,
  stratifiedFolds,
  validateFold,
} from '../../../kernels/validation/index.ts';
import type { Estimator, Table } from '../../../kernels/validation/index.ts';
import { cut, friedman, tiedData } from './forest-data.ts';
import { kernelModule } from './load.ts';
import { smoothData } from './mlp-data.ts';

const module = await kernelModule();

/** Says the mean of what it has seen; for classes, their shares. */
const average: Estimator = {
  fit: ({ targets, rows, classes }) => {
    if (classes === undefined) {
      const mean = targets.reduce((sum, y) => sum + y, 0) / rows;
      return (_, count) => new Float64Array(count).fill(mean);
    }
    const shares = Array.from({ length: classes }, (_, c) => targets.filter((y) => y === c).length / rows);
    return (_, count) => Float64Array.from(Array.from({ length: count }, () => shares).flat());
  },
};

function refuses(field: string, action: () => unknown): void {
  expect(action).toThrow(KernelInputError);
  expect(action).toThrow(new RegExp(`^${field.replace(/[[\]]/g, '\\$&')}:`));
}

const sizes = fc
  .integer({ min: 2, max: 80 })
  .chain((rows) => fc.tuple(fc.constant(rows), fc.integer({ min: 2, max: rows })));

describe('kFolds', () => {
  it('tests each row in exactly one fold and trains it in all others, with sizes that differ by one', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ([rows, k], seed) => {
        const folds = kFolds(rows, k, seed);
        expect(folds).toHaveLength(k);
        const all = Array.from({ length: rows }, (_, row) => row);
        expect(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual(all);
        folds.forEach(({ training, test }, i) => {
          expect([...training, ...test].sort((a, b) => a - b)).toEqual(all);
          expect([...test]).toEqual([...test].sort((a, b) => a - b));
          expect(test.length).toBe(Math.floor(rows / k) + (i < rows % k ? 1 : 0));
        });
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('shuffles by the seed', () => {
    expect(kFolds(50, 5, 1)).toEqual(kFolds(50, 5, 1));
    expect(kFolds(50, 5, 1)).not.toEqual(kFolds(50, 5, 2));
  });

  it.each([
    [10, 1, 'k'],
    [10, 11, 'k'],
    [10, 2.5, 'k'],
    [0, 2, 'rows'],
    [1, 2, 'k'],
  ])('refuses %i rows in %d folds', (rows, k, field) => {
    refuses(field, () => kFolds(rows, k, 0));
    if (rows > 0) refuses(field, () => stratifiedFolds(new Float64Array(rows), k, 0));
  });
});

describe('stratifiedFolds', () => {
  it('gives each fold its share of each class', () => {
    fc.assert(
      fc.property(sizes, fc.nat(1000), fc.integer({ min: 1, max: 5 }), ([rows, k], seed, classes) => {
        const labels = tiedData(rows, 1, 2, seed, classes).targets;
        const folds = stratifiedFolds(labels, k, seed);
        expect(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual(
          Array.from(labels, (_, row) => row),
        );
        const spread = (counts: number[]) => Math.max(...counts) - Math.min(...counts);
        expect(spread(folds.map(({ test }) => test.length))).toBeLessThanOrEqual(1);
        for (let c = 0; c < classes; c++) {
          const counts = folds.map(({ test }) => test.filter((row) => labels[row] === c).length);
          expect(spread(counts)).toBeLessThanOrEqual(1);
        }
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  it('refuses labels that are no classes', () => {
    refuses('labels[1]', () => stratifiedFolds([0, 0.5, 1], 2, 0));
  });
});

// Expected numbers: sklearn.metrics 1.2.1, r2_score, mean_squared_error(squared=False), accuracy_score, log_loss.
describe('scores', () => {
  const y = Float64Array.of(3, -0.5, 2, 7);
  const said = Float64Array.of(2.5, 0, 2, 8);

  it('are those of scikit-learn', () => {
    expect(r2(y, said)).toBeCloseTo(0.9486081370449679, 14);
    expect(rmse(y, said)).toBeCloseTo(0.6123724356957945, 14);
    expect(accuracy(Float64Array.of(0, 2, 1, 3), [0, 1, 1, 3])).toBe(0.75);
    const shares = Float64Array.of(0.9, 0.1, 0.1, 0.9, 0.8, 0.2, 0.35, 0.65);
    expect(logLoss(Float64Array.of(0, 1, 0, 1), shares, 2)).toBeCloseTo(0.21616187468057912, 14);
  });

  it('do not divide by the variance of constant targets', () => {
    expect(r2(Float64Array.of(0.1, 0.1, 0.1), Float64Array.of(0.1, 0.1, 0.1))).toBe(1);
    expect(r2(Float64Array.of(0.1, 0.1, 0.1), Float64Array.of(0.1, 0.2, 0.1))).toBe(0);
  });

  it('hold a certain error to a finite loss', () => {
    expect(logLoss(Float64Array.of(0), Float64Array.of(0, 1), 2)).toBeCloseTo(36.04365338911715, 12);
  });

  it('refuse nothing, too little, and what is no number', () => {
    for (const score of [rmse, r2, accuracy]) refuses('targets', () => score(new Float64Array(0), new Float64Array(0)));
    refuses('targets', () => logLoss(new Float64Array(0), new Float64Array(0), 2));
    refuses('targets', () => r2(Float64Array.of(1), Float64Array.of(1)));
    refuses('predictions', () => rmse(y, said.slice(1)));
    refuses('predictions[1]', () => rmse(Float64Array.of(1, 2), Float64Array.of(1, NaN)));
    refuses('shares', () => logLoss(Float64Array.of(0, 1), Float64Array.of(1, 0), 2));
  });
});

describe('crossValidate', () => {
  const table: Table = cut(friedman(90), 11, 0, 90);

  it('judges each row by a model that has not seen it', () => {
    const { scores, predictions } = crossValidate(average, table, kFolds(90, 90, 3), 'rmse');
    const sum = table.targets.reduce((total, y) => total + y, 0);
    table.targets.forEach((y, row) => expect(predictions[row]).toBeCloseTo((sum - y) / 89, 10));
    expect(scores).toHaveLength(90);
    expect(r2(table.targets, predictions)).toBeLessThan(0);
  });

  it('gives mean and standard deviation over the folds', () => {
    const folds = kFolds(90, 4, 3);
    const { scores, mean, std } = crossValidate(average, table, folds, 'rmse');
    expect(mean).toBeCloseTo(scores.reduce((sum, s) => sum + s, 0) / 4, 14);
    expect(std).toBeCloseTo(Math.sqrt(scores.reduce((sum, s) => sum + (s - mean) ** 2, 0) / 4), 14);
    const parts = folds.map((fold) => validateFold(average, table, fold, 'rmse'));
    expect(combineFolds(90, folds, parts)).toEqual(crossValidate(average, table, folds, 'rmse'));
  });

  it('judges forests and perceptrons alike', () => {
    const data = smoothData(120, 3, 1, 8);
    const plain: Table = { inputs: data.inputs, targets: data.targets, rows: 120, dimension: 3 };
    const perceptron: Estimator = {
      fit: ({ inputs, targets, rows, dimension }) => {
        const trainer = MlpTrainer.create(
          module,
          { inputs, targets, rows, dimension, outputs: 1 },
          {
            hidden: [16],
            activation: 'tanh',
            epochs: 100,
            batchSize: 16,
            learningRate: 0.02,
            weightDecay: 0,
            validationFraction: 0,
            patience: 0,
            seed: 1,
          },
        );
        while (!trainer.done) trainer.step();
        const predictor = new MlpPredictor(module, [trainer.finish()]);
        return (x, count) => predictor.predict(x, count).mean;
      },
    };
    const folds = kFolds(120, 5, 1);
    expect(crossValidate(perceptron, plain, folds, 'r2').mean).toBeGreaterThan(0.9);
    const forest = crossValidate(forestEstimator(module, { nEstimators: 50, seed: 1 }), plain, folds, 'r2');
    expect(forest.mean).toBeGreaterThan(0.6);
    expect(crossValidate(average, plain, folds, 'r2').mean).toBeLessThan(0.01);
  });

  it('judges classes by accuracy and log-loss', () => {
    const targets = table.targets.map((y) => (y > 14 ? 1 : 0));
    const binary: Table = { ...table, targets, classes: 2 };
    const folds = stratifiedFolds(targets, 5, 1);
    const forest = forestEstimator(module, { criterion: 'gini', nEstimators: 40, maxFeatures: 'sqrt' });
    expect(crossValidate(forest, binary, folds, 'accuracy').mean).toBeGreaterThan(
      crossValidate(average, binary, folds, 'accuracy').mean + 0.1,
    );
    const { mean, predictions } = crossValidate(forest, binary, folds, 'logLoss');
    expect(mean).toBeLessThan(Math.LN2);
    expect(predictions).toHaveLength(180);
    refuses('scoring', () => crossValidate(forest, binary, folds, 'r2'));
    refuses('scoring', () => crossValidate(average, table, folds, 'accuracy'));
  });

  it('refuses folds that miss a row or test it twice, tables with faults, and models that say too little', () => {
    const folds = kFolds(90, 3, 1);
    refuses('folds', () => crossValidate(average, table, folds.slice(1), 'rmse'));
    refuses('results', () => crossValidate(average, table, [], 'rmse'));
    refuses('folds[1].test', () => crossValidate(average, table, [folds[0]!, folds[0]!, folds[1]!], 'rmse'));
    refuses('targets', () => crossValidate(average, { ...table, targets: table.targets.slice(1) }, folds, 'rmse'));
    refuses('targets', () => crossValidate(average, table, kFolds(90, 90, 1), 'r2'));
    const silent: Estimator = { fit: () => () => new Float64Array(1) };
    refuses('predictions', () => crossValidate(silent, table, folds, 'rmse'));
  });
});

describe('permutationImportance', () => {
  const table: Table = cut(friedman(400), 11, 0, 400);
  const predict = forestEstimator(module, { nEstimators: 30, seed: 1 }).fit(table);

  it('is large for the features that the target is made of, and small for the others', () => {
    const { mean } = permutationImportance(predict, table, { scoring: 'r2', repeats: 3, seed: 1 });
    const needed = Math.min(...mean.subarray(0, 5));
    expect(needed).toBeGreaterThan(2 * Math.max(...mean.subarray(5)));
  });

  it('counts a loss of either kind of score as positive, and is nothing for what a model does not use', () => {
    const first = (inputs: Float64Array, rows: number) =>
      Float64Array.from({ length: rows }, (_, row) => inputs[10 * row + 3]!);
    const data = { ...table, targets: first(table.inputs, 400) };
    for (const scoring of ['r2', 'rmse'] as const) {
      const { mean, std } = permutationImportance(first, data, { scoring, repeats: 4, seed: 1 });
      expect(mean[3]).toBeGreaterThan(0.2);
      expect(std[3]).toBeGreaterThan(0);
      expect([...mean].filter((value) => value === 0)).toHaveLength(9);
    }
    refuses('repeats', () => permutationImportance(first, data, { scoring: 'r2', repeats: 0, seed: 1 }));
  });
});
