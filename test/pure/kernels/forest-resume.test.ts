import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { ForestTrainer, mergeForests } from '../../../kernels/forest/index.ts';
import type { ForestData, ForestModel, ForestOptions } from '../../../kernels/forest/index.ts';
import { readSnapshot, writeSnapshot } from '../../../kernels/runtime/index.ts';
import { growForest, tiedData } from './forest-data.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();
const numbers = tiedData(80, 5, 1000, 1);
const classes = tiedData(80, 5, 6, 2, 4);
const variants: { name: string; data: ForestData; options: Partial<ForestOptions> }[] = [
  { name: 'regression', data: numbers, options: { nEstimators: 7, seed: 3 } },
  { name: 'feature subsampling', data: numbers, options: { nEstimators: 7, maxFeatures: 2, maxSamples: 0.5 } },
  { name: 'classes', data: classes, options: { nEstimators: 7, criterion: 'gini', maxFeatures: 'sqrt', seed: 4 } },
];

function advance(trainer: ForestTrainer, trees: number): ForestTrainer {
  for (let i = 0; i < trees; i++) trainer.step();
  return trainer;
}

function refuses(field: string, action: () => unknown): void {
  expect(action).toThrow(KernelInputError);
  expect(action).toThrow(new RegExp(`^${field.replace(/[[\]]/g, '\\$&')}:`));
}

describe.each(variants)('a forest ($name)', ({ data, options }) => {
  const whole = growForest(module, data, options);

  it.each([0, 1, 3, 6, 7])('that was interrupted after tree %i ends with the same bytes', (trees) => {
    const snapshot = advance(ForestTrainer.create(module, data, options), trees).snapshot();
    const resumed = ForestTrainer.resume(module, data, snapshot);
    expect(resumed.size).toBe(trees);
    while (!resumed.done) resumed.step();
    expect(resumed.finish()).toEqual(whole);
    expect(resumed.snapshot()).toEqual(advance(ForestTrainer.create(module, data, options), 7).snapshot());
  });

  it('is the same from parts, wherever it is cut and in whatever order they come', () => {
    fc.assert(
      fc.property(fc.subarray([1, 2, 3, 4, 5, 6]), fc.nat(1000), (cuts, order) => {
        const bounds = [0, ...cuts, 7];
        const parts = bounds.slice(1).map((to, i) => growForest(module, data, options, { from: bounds[i]!, to }));
        const shuffled = parts.map((_, i) => parts[(i + order) % parts.length]!);
        expect(mergeForests(shuffled)).toEqual(whole);
      }),
      { seed: 5, numRuns: 20 },
    );
  });

  it('grows each tree as if there were no others', () => {
    const alone = growForest(module, data, options, { from: 4, to: 5 });
    const parts = [growForest(module, data, options, { from: 0, to: 4 }), alone];
    parts.push(growForest(module, data, options, { from: 5, to: 7 }));
    expect(mergeForests(parts)).toEqual(whole);
  });

  it('survives JSON', () => {
    expect(mergeForests([JSON.parse(JSON.stringify(whole)) as ForestModel])).toEqual(whole);
  });
});

describe('trees', () => {
  it('depend on the seed and on their number', () => {
    const grow = (seed: number, from: number) =>
      growForest(module, numbers, { nEstimators: 3, seed }, { from, to: from + 1 }).thresholds;
    expect(grow(1, 0)).not.toEqual(grow(2, 0));
    expect(grow(1, 0)).not.toEqual(grow(1, 1));
  });

  it('do not depend on how large the forest is', () => {
    const grow = (nEstimators: number) => growForest(module, numbers, { nEstimators }, { from: 1, to: 3 }).nodes;
    expect(grow(3)).toEqual(grow(100));
  });

  it('come one at a time, and not after the last', () => {
    const trainer = ForestTrainer.create(module, numbers, { nEstimators: 5 }, { from: 2, to: 4 });
    expect(() => trainer.finish()).toThrow('no model before the first tree');
    expect(trainer.step().tree).toBe(2);
    expect(trainer.done).toBe(false);
    const { tree, leaves } = trainer.step();
    expect(tree).toBe(3);
    expect(leaves).toBe((trainer.finish().nodeCounts[1]! + 1) / 2);
    expect(trainer.done).toBe(true);
    expect(() => trainer.step()).toThrow('no further tree');
  });
});

describe('mergeForests', () => {
  const part = (from: number, to: number, options: Partial<ForestOptions> = {}, data = numbers) =>
    growForest(module, data, { nEstimators: 7, seed: 3, ...options }, { from, to });

  it.each<[string, () => ForestModel[], string]>([
    ['nothing', () => [], 'models'],
    ['a gap', () => [part(0, 2), part(3, 4)], 'models'],
    ['an overlap', () => [part(0, 2), part(1, 4)], 'models'],
    ['other options', () => [part(0, 2), part(2, 4, { minSamplesLeaf: 2 })], 'models'],
    ['other data', () => [part(0, 2), part(2, 4, {}, tiedData(80, 5, 1000, 9))], 'models'],
  ])('refuses %s', (_, parts, field) => {
    refuses(field, () => mergeForests(parts()));
  });
});

describe('a snapshot', () => {
  const options = { nEstimators: 7, seed: 3 };
  const snapshot = advance(ForestTrainer.create(module, numbers, options), 3).snapshot();
  const parts = readSnapshot(snapshot, 'forest', 1);
  const [counts, nodes, thresholds, leaves, importances] = parts.arrays;

  it('holds 2 bytes for each node, 8 for each threshold and leaf, and little else', () => {
    const total = (counts as Uint32Array).reduce((sum, count) => sum + count, 0);
    expect(snapshot.length - 10 * total - 3 * 5 * 8).toBeLessThan(1024);
  });

  const changedState = (change: Record<string, unknown>) =>
    writeSnapshot({ ...parts, state: { ...parts.state, ...change } });
  const changedArrays = (...arrays: (Float32Array | Float64Array | Uint32Array)[]) =>
    writeSnapshot({ ...parts, arrays });
  const other = { ...numbers, targets: numbers.targets.map((y, i) => (i === 3 ? y + 1e-9 : y)) };

  it.each<[string, ForestData, Uint8Array, string]>([
    ['bytes of something else', numbers, new Uint8Array(100), 'snapshot'],
    ['a part', numbers, snapshot.subarray(0, snapshot.length - 8), 'snapshot'],
    ['another version', numbers, writeSnapshot({ ...parts, version: 2 }), 'snapshot.version'],
    ['another kernel', numbers, writeSnapshot({ ...parts, kernel: 'mlp' }), 'snapshot.kernel'],
    ['other data', other, snapshot, 'data'],
    ['too few arrays', numbers, changedArrays(...parts.arrays.slice(1)), 'snapshot.arrays'],
    [
      'arrays of another kind',
      numbers,
      changedArrays(counts!, nodes!, thresholds!, nodes!, importances!),
      'snapshot.arrays',
    ],
    ['too few nodes', numbers, changedArrays(counts!, nodes!.slice(1), thresholds!, leaves!, importances!), 'nodes'],
    ['too few leaves', numbers, changedArrays(counts!, nodes!, thresholds!, leaves!.slice(1), importances!), 'leaves'],
    ['no options', numbers, changedState({ options: null }), 'snapshot.options'],
    ['an option out of range', numbers, changedState({ options: { ...options, nEstimators: 0 } }), 'nEstimators'],
    ['no range', numbers, changedState({ range: null }), 'snapshot.range'],
    ['a range beyond the forest', numbers, changedState({ range: { from: 0, to: 8 } }), 'to'],
    ['a range with less trees', numbers, changedState({ range: { from: 0, to: 2 } }), 'snapshot.arrays'],
  ])('is refused when it is %s', (_, data, bytes, field) => {
    refuses(field, () => ForestTrainer.resume(module, data, bytes));
  });
});
