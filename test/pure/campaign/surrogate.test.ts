import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFiles } from '../../../edge/campaign/core/load.ts';
import { givenOf } from '../../../edge/campaign/core/observations.ts';
import { mlpTrainingOptions, trainingOptions, trainingTaskCount } from '../../../edge/campaign/core/surrogate.ts';
import { box, Course, spec } from './world.ts';

describe('a Gaussian process', () => {
  const of = spec({
    surrogate: { kind: 'gp' },
    budget: 1998,
    initial: 1,
    space: box,
    evaluator: { kind: 'named', name: 's' },
  });
  const dataset = (rows: number) => ['a,b,y', ...Array.from({ length: rows }, (_, k) => `${k},1,2`)].join('\n');

  it('has no room for a data set that is too large beside the budget', () => {
    const read = (rows: number) =>
      readFiles(of, { pool: null, dataset: new TextEncoder().encode(dataset(rows)) }).given.length;
    expect(read(2)).toBe(2);
    expect(() => read(3)).toThrow(
      'dataset_path: expected at most 2 observations beside the budget, with the surrogate gp',
    );
  });

  it('has no room for more results of a person’s own than that', () => {
    const { state } = Course.loaded(of, dataset(1));
    const own = (count: number) => Array.from({ length: count }, () => ({ inputs: { a: 0, b: 1 }, values: { y: 1 } }));
    expect(givenOf(state, own(1))).toHaveLength(1);
    expect(() => givenOf(state, own(2))).toThrow('observations: expected at most 1 more, with the surrogate gp');
  });
});

describe('training options', () => {
  it('are those of the campaign where it has some', () => {
    const surrogate = {
      kind: 'mlp',
      hidden: [8],
      epochs: 7,
      batch_size: 4,
      learning_rate: 0.1,
      weight_decay: 0,
    } as const;
    expect(mlpTrainingOptions({ ...surrogate, hidden: [8], activation: 'tanh' }, 50)).toEqual({
      hidden: [8],
      activation: 'tanh',
      epochs: 7,
      batch_size: 4,
      learning_rate: 0.1,
      weight_decay: 0,
    });
  });

  it('train fewer epochs on more rows, but never too few', () => {
    const epochs = (count: number) => mlpTrainingOptions({ kind: 'auto' }, count).epochs;
    expect(epochs(10)).toBeGreaterThanOrEqual(epochs(100));
    expect(epochs(100_000)).toBeGreaterThan(10);
  });

  it('are those of the kind', () => {
    expect(trainingOptions({ kind: 'gp' }, 1, 50)).toEqual([
      { kind: 'gp', covariance: 'matern52', prior: 'dimension-scaled', n_restarts_optimizer: 2 },
    ]);
    const forest = { kind: 'forest', max_depth: 4, min_samples_leaf: 3 } as const;
    expect(trainingOptions(forest, 1, 50)).toEqual([
      {
        kind: 'forest',
        n_estimators: 100,
        max_depth: 4,
        min_samples_split: 2,
        min_samples_leaf: 3,
        max_features: 1 / 3,
      },
    ]);
  });

  it('split a forest among tasks when there is much to grow', () => {
    const tasks = (budget: number, trees = 100) => {
      const surrogate = { kind: 'forest', n_estimators: trees } as const;
      return trainingOptions(surrogate, trainingTaskCount(surrogate, budget), 50).map(({ n_estimators: n }) => n);
    };
    expect(tasks(500)).toEqual([100]);
    expect(tasks(40_001)).toEqual([33, 33, 34]);
    expect(tasks(100_000, 3)).toEqual([3]);
    expect(tasks(100_000, 1000)).toHaveLength(8);
    expect(trainingTaskCount({ kind: 'gp' }, 2000)).toBe(1);
  });

  it('split members evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), (members) => {
        const surrogate = { kind: 'mlp', members } as const;
        const tasks = trainingOptions(surrogate, trainingTaskCount(surrogate, 100), 50);
        const groups = tasks.map((options) => Number(options.members));
        expect(groups.length).toBe(Math.min(members, 8));
        expect(groups.reduce((sum, count) => sum + count, 0)).toBe(members);
        expect(Math.max(...groups) - Math.min(...groups)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
