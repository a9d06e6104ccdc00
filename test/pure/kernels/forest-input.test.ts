import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { readForest } from '../../../kernels/forest/model.ts';
import { ForestPredictor, ForestTrainer, outOfBag, parseForestModel } from '../../../kernels/forest/index.ts';
import type { ForestData, ForestOptions } from '../../../kernels/forest/index.ts';
import { encodeBase64 } from '../../../kernels/runtime/index.ts';
import { growForest, tiedData } from './forest-data.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();
const numbers = tiedData(30, 4, 100, 1);
const classes = tiedData(30, 4, 100, 2, 3);

function refuses(field: string, action: () => unknown): void {
  expect(action).toThrow(KernelInputError);
  expect(action).toThrow(new RegExp(`^${field.replace(/[[\]]/g, '\\$&')}:`));
}

const changed = (values: Float64Array, at: number, value: number) => values.map((old, i) => (i === at ? value : old));

describe('ForestTrainer refuses', () => {
  it.each<[string, Partial<ForestData>, string]>([
    ['an empty table', { inputs: new Float64Array(0), targets: new Float64Array(0), rows: 0 }, 'rows'],
    ['no features', { inputs: new Float64Array(0), dimension: 0 }, 'dimension'],
    ['a feature that is not a number', { inputs: changed(numbers.inputs, 7, NaN) }, 'inputs[7]'],
    ['an infinite feature', { inputs: changed(numbers.inputs, 8, -Infinity) }, 'inputs[8]'],
    ['a feature beyond all measure', { inputs: changed(numbers.inputs, 9, 1e101) }, 'inputs[9]'],
    ['a target that is not a number', { targets: changed(numbers.targets, 2, NaN) }, 'targets[2]'],
    ['a target beyond all measure', { targets: changed(numbers.targets, 3, -1e101) }, 'targets[3]'],
    ['inputs of another length', { inputs: numbers.inputs.slice(1) }, 'inputs'],
    ['targets of another length', { targets: numbers.targets.slice(1) }, 'targets'],
  ])('%s', (_, change, field) => {
    refuses(field, () => ForestTrainer.create(module, { ...numbers, ...change }));
  });

  it.each<[string, Partial<ForestData>, string]>([
    ['no number of classes', numbers, 'classes'],
    ['no classes', { classes: 0 }, 'classes'],
    ['a label beyond the classes', { targets: changed(classes.targets, 4, 3) }, 'targets[4]'],
    ['a negative label', { targets: changed(classes.targets, 5, -1) }, 'targets[5]'],
    ['a label between two classes', { targets: changed(classes.targets, 6, 0.5) }, 'targets[6]'],
  ])('%s', (_, change, field) => {
    const data = field === 'classes' && change === numbers ? numbers : { ...classes, ...change };
    refuses(field, () => ForestTrainer.create(module, data, { criterion: 'gini' }));
  });

  it.each<[keyof ForestOptions, unknown]>([
    ['criterion', 'friedman_mse'],
    ['nEstimators', 0],
    ['nEstimators', 1.5],
    ['maxDepth', 0],
    ['minSamplesSplit', 1],
    ['minSamplesLeaf', 0],
    ['maxFeatures', 0],
    ['maxFeatures', 5],
    ['maxFeatures', 1.5],
    ['maxFeatures', 'auto'],
    ['maxFeatures', NaN],
    ['bootstrap', 1],
    ['maxSamples', 31],
    ['maxSamples', -0.5],
    ['seed', -1],
  ])('%s = %s', (option, value) => {
    refuses(option, () => ForestTrainer.create(module, numbers, { [option]: value }));
  });

  it('samples without bootstrap', () => {
    refuses('maxSamples', () => ForestTrainer.create(module, numbers, { bootstrap: false, maxSamples: 3 }));
  });

  it.each([
    [-1, 2, 'from'],
    [100, 101, 'from'],
    [3, 3, 'to'],
    [3, 101, 'to'],
  ])('the range from %i to %i', (from, to, field) => {
    refuses(field, () => ForestTrainer.create(module, numbers, {}, { from, to }));
  });

  it.each([
    [1 << 27, 1, 1],
    [1 << 20, 1 << 10, 1],
    [1 << 20, 1, 1 << 10],
  ])('%i rows with %i features and %i classes, which fit into no memory', (rows, dimension, classCount) => {
    const data = { inputs: new Float64Array(0), targets: new Float64Array(0), rows, dimension, classes: classCount };
    refuses('rows', () => ForestTrainer.create(module, data, { criterion: 'gini' }));
  });
});

describe('a forest', () => {
  const predict = (data: ForestData, options: Partial<ForestOptions>) => {
    const model = growForest(module, data, { nEstimators: 3, ...options });
    return { model, ...new ForestPredictor(module, model).predict(data.inputs, data.rows) };
  };

  it('of one row says its target', () => {
    const data = { inputs: Float64Array.of(1, 2), targets: Float64Array.of(0.1), rows: 1, dimension: 2 };
    expect([...predict(data, { nEstimators: 1 }).mean]).toEqual([0.1]);
  });

  it('of constant columns has one leaf a tree', () => {
    const data = { ...numbers, inputs: new Float64Array(numbers.inputs.length).fill(2.5) };
    const { model, mean } = predict(data, { bootstrap: false });
    expect(model.nodeCounts).toEqual([1, 1, 1]);
    const average = numbers.targets.reduce((sum, y) => sum + y, 0) / 30;
    mean.forEach((value) => expect(value).toBeCloseTo(average, 12));
  });

  it('of equal targets says exactly these', () => {
    const { model, mean, std } = predict({ ...numbers, targets: new Float64Array(30).fill(0.1) }, {});
    expect(model.nodeCounts).toEqual([1, 1, 1]);
    expect(mean).toEqual(new Float64Array(30).fill((0.1 + 0.1 + 0.1) / 3));
    expect(Math.max(...std)).toBeLessThan(1e-15);
  });

  it('of one class says that one', () => {
    const data = { ...classes, targets: new Float64Array(30).fill(1) };
    const { mean } = predict(data, { criterion: 'gini' });
    expect([...mean]).toEqual(Array.from({ length: 30 }, () => [0, 1, 0]).flat());
  });

  it('may have more features than rows', () => {
    const data = tiedData(4, 300, 10_000, 3);
    const { mean } = predict(data, { bootstrap: false, maxFeatures: 'sqrt' });
    data.targets.forEach((target, row) => expect(mean[row]).toBeCloseTo(target, 12));
  });

  it('treats −0 as 0', () => {
    const inputs = Float64Array.of(-0, 0, -0, 0);
    const data = { inputs, targets: Float64Array.of(1, 2, 3, 4), rows: 4, dimension: 1 };
    expect(predict(data, { bootstrap: false }).model.nodeCounts).toEqual([1, 1, 1]);
  });

  it('separates neighbouring numbers, for which there is no midpoint', () => {
    const x = 1;
    const next = 1 + Number.EPSILON;
    const data = { inputs: Float64Array.of(x, next), targets: Float64Array.of(5, 7), rows: 2, dimension: 1 };
    expect([...predict(data, { bootstrap: false }).mean]).toEqual([5, 7]);
  });

  it('tells targets apart at the ends of what is allowed', () => {
    for (const scale of [1e98, 1e-100, 1e-300]) {
      const data = { ...numbers, targets: numbers.targets.map((y) => y * scale) };
      const { model } = predict(data, { seed: 1 });
      const expected = growForest(module, numbers, { nEstimators: 3, seed: 1 });
      expect(model.nodeCounts).toEqual(expected.nodeCounts);
    }
  });

  it('refuses to predict from rows that are not numbers, or too few', () => {
    const predictor = new ForestPredictor(module, growForest(module, numbers, { nEstimators: 2 }));
    refuses('x[1]', () => predictor.predict(Float64Array.of(1, NaN, 3, 4), 1));
    refuses('x', () => predictor.predict(Float64Array.of(1, 2, 3), 1));
    refuses('mean', () => predictor.predictInto(new Float64Array(4), 1, new Float64Array(2), new Float64Array(1)));
    expect(predictor.predict(new Float64Array(0), 0).mean).toEqual(new Float64Array(0));
  });
});

describe('outOfBag', () => {
  it('leaves out rows that are in every bag, and counts the trees of the others', () => {
    const { predictions, trees } = outOfBag(module, numbers, growForest(module, numbers, { nEstimators: 2, seed: 1 }));
    expect(trees.includes(0)).toBe(true);
    expect(trees.includes(1)).toBe(true);
    predictions.forEach((value, row) => expect(Number.isNaN(value)).toBe(trees[row] === 0));
  });

  it('refuses other data, and forests without bags', () => {
    const model = growForest(module, numbers, { nEstimators: 2 });
    refuses('data', () => outOfBag(module, tiedData(30, 4, 100, 7), model));
    refuses('bootstrap', () =>
      outOfBag(module, numbers, growForest(module, numbers, { nEstimators: 2, bootstrap: false })),
    );
  });
});

describe('parseForestModel', () => {
  const model = growForest(module, numbers, { nEstimators: 2, seed: 1 });
  const sorted = growForest(module, classes, { nEstimators: 2, criterion: 'gini' });
  const bytes = (values: Uint16Array | Uint32Array | Float64Array) => encodeBase64(values);
  const [first, second] = readForest(model).trees;
  const nodes = Uint16Array.of(...first!.nodes, ...second!.nodes);
  const leaves = Float64Array.of(...first!.leaves, ...second!.leaves);
  const withNode = (at: number, value: number) => bytes(nodes.map((old, i) => (i === at ? value : old)));
  const leafAt = nodes.indexOf(4);

  it('accepts what was written', () => {
    expect(parseForestModel(JSON.parse(JSON.stringify(model)))).toEqual(model);
    expect(parseForestModel(JSON.parse(JSON.stringify(sorted)))).toEqual(sorted);
  });

  it.each<[string, unknown, string]>([
    ['nothing', null, 'model'],
    ['another format', { ...model, format: 'tabgrid-mlp' }, 'format'],
    ['another version', { ...model, version: 2 }, 'version'],
    ['no features', { ...model, dimension: 0 }, 'dimension'],
    ['too many features', { ...model, dimension: 65_536 }, 'dimension'],
    ['classes where there are none', { ...model, classes: 2 }, 'classes'],
    ['no classes where there are some', { ...sorted, classes: 0 }, 'classes'],
    ['no options', { ...model, options: undefined }, 'options'],
    ['an option out of range', { ...model, options: { ...model.options, minSamplesLeaf: -1 } }, 'minSamplesLeaf'],
    ['no training', { ...model, training: 3 }, 'training'],
    ['no digest', { ...model, training: { rows: 3, data: 'x' } }, 'training.data'],
    ['a first tree beyond the last', { ...model, from: 2 }, 'from'],
    ['no trees', { ...model, nodeCounts: [] }, 'nodeCounts'],
    ['more trees than there are', { ...model, nodeCounts: [1, 1, 1] }, 'nodeCounts'],
    ['half a node', { ...model, nodeCounts: [1.5, 3] }, 'nodeCounts[0]'],
    ['an even number of nodes', { ...model, nodeCounts: [model.nodeCounts[0], 4] }, 'nodeCounts[1]'],
    ['a text for a number', { ...model, nodeCounts: ['1', '1'] }, 'nodeCounts[0]'],
    ['more nodes than fit', { ...model, nodeCounts: [(1 << 26) - 1, 3] }, 'nodeCounts'],
    [
      'other sizes of trees',
      { ...model, nodeCounts: [model.nodeCounts[0]! - 2, model.nodeCounts[1]! + 2] },
      'nodes[0]',
    ],
    ['nodes that are no text', { ...model, nodes: 7 }, 'nodes'],
    ['nodes that are no base64', { ...model, nodes: '!'.repeat(model.nodes.length) }, 'nodes'],
    ['a feature out of range', { ...model, nodes: withNode(leafAt, 5) }, `nodes[${leafAt}]`],
    ['a tree that does not end', { ...model, nodes: withNode(leafAt, 0) }, 'nodes[0]'],
    ['a tree that ends early', { ...model, nodes: withNode(0, 4) }, 'nodes[0]'],
    ['too few thresholds', { ...model, thresholds: model.thresholds.slice(0, -12) }, 'thresholds'],
    [
      'a leaf that is not a number',
      { ...model, leaves: bytes(leaves.map((v, i) => (i === 3 ? NaN : v))) },
      'leaves[3]',
    ],
    ['a leaf without rows', { ...sorted, leaves: sorted.leaves.replace(/[^=]/g, 'A') }, 'leaves[0]'],
    ['too few importances', { ...model, importances: '' }, 'importances'],
    ['a negative importance', { ...model, importances: bytes(new Float64Array(8).fill(-1)) }, 'importances[0]'],
  ])('refuses %s', (_, value, field) => {
    refuses(field, () => parseForestModel(value));
    refuses(field, () => new ForestPredictor(module, value as typeof model));
  });
});
