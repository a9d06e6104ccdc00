import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { GpPredictor, GpTrainer, parseGpModel } from '../../../kernels/gp/index.ts';
import type { GpModel, GpOptions, TrainingSet } from '../../../kernels/gp/index.ts';
import { readSnapshot, writeSnapshot } from '../../../kernels/runtime/index.ts';
import { bumpyData } from './gp-bumpy.ts';
import { kernelModule } from './load.ts';

const module = await kernelModule();
const data = bumpyData(30, 3, 2, 1);
const quick: Partial<GpOptions> = { starts: 2, maxIterations: 12, seed: 7 };

function complete(trainer: GpTrainer) {
  const reports = [];
  while (!trainer.done) reports.push(trainer.step());
  return { reports, model: trainer.finish(), snapshot: trainer.snapshot() };
}

const fit = (set: TrainingSet, options: Partial<GpOptions> = {}): GpModel =>
  complete(GpTrainer.create(module, set, options)).model;

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof KernelInputError) return error.field;
    throw error;
  }
  throw new Error('Nothing was refused.');
}

describe('a resumed training', () => {
  const undisturbed = complete(GpTrainer.create(module, data, quick));
  const length = undisturbed.reports.length;

  it.each([0, 1, 2, 11, 12, 13, length - 1, length])('after %i iterations ends with the same bytes', (iterations) => {
    const interrupted = GpTrainer.create(module, data, quick);
    for (let i = 0; i < iterations; i++) interrupted.step();
    const resumed = complete(GpTrainer.resume(module, data, interrupted.snapshot()));
    expect(resumed.reports).toEqual(undisturbed.reports.slice(iterations));
    expect(resumed.model).toEqual(undisturbed.model);
    expect(resumed.snapshot).toEqual(undisturbed.snapshot);
  });

  it('may be looked at and resumed after every iteration', () => {
    let trainer = GpTrainer.create(module, data, quick);
    while (!trainer.done) {
      trainer.step();
      trainer.finish();
      trainer = GpTrainer.resume(module, data, trainer.snapshot());
    }
    expect(trainer.finish()).toEqual(undisturbed.model);
  });

  it('reports every climb of every target', () => {
    const climbs = new Set(undisturbed.reports.map(({ output, start }) => `${output}.${start}`));
    expect([...climbs]).toEqual(['0.0', '0.1', '1.0', '1.1']);
    for (const k of [0, 1]) {
      const ends = undisturbed.reports.filter(({ output }) => output === k).map((r) => r.logMarginalLikelihood);
      expect(undisturbed.model.outputs[k]!.logMarginalLikelihood).toBeCloseTo(Math.max(...ends), 9);
    }
  });

  it('is small: no matrix travels', () => {
    const trainer = GpTrainer.create(module, data, quick);
    for (let i = 0; i < 11; i++) trainer.step();
    expect(trainer.snapshot().length).toBeLessThan(4096);
  });
});

describe('a snapshot', () => {
  const trainer = GpTrainer.create(module, data, quick);
  for (let i = 0; i < 14; i++) trainer.step();
  const snapshot = trainer.snapshot();
  const parts = readSnapshot(snapshot, 'gp', 1);
  const changedState = (change: Record<string, unknown>) =>
    writeSnapshot({ ...parts, state: { ...parts.state, ...change } });
  const other = { ...data, targets: data.targets.map((y, i) => (i === 3 ? y + 1e-9 : y)) };
  const poisoned = parts.arrays.map((array, i) => (i === 0 ? array.map(() => NaN) : array));

  it.each([
    ['bytes of something else', data, new Uint8Array(100), 'snapshot'],
    ['a part', data, snapshot.subarray(0, snapshot.length - 8), 'snapshot'],
    ['another version', data, writeSnapshot({ ...parts, version: 2 }), 'snapshot.version'],
    ['another kernel', data, writeSnapshot({ ...parts, kernel: 'mlp' }), 'snapshot.kernel'],
    ['of other data', other, snapshot, 'data'],
    ['short of arrays', data, writeSnapshot({ ...parts, arrays: parts.arrays.slice(1) }), 'snapshot.arrays'],
    [
      'rich in arrays',
      data,
      writeSnapshot({ ...parts, arrays: [...parts.arrays, new Float64Array(5)] }),
      'snapshot.arrays',
    ],
    [
      'of other arrays',
      data,
      writeSnapshot({ ...parts, arrays: parts.arrays.map((a) => a.slice(1)) }),
      'snapshot.arrays',
    ],
    ['without numbers', data, writeSnapshot({ ...parts, arrays: poisoned }), 'snapshot.arrays[0]'],
    ['of unknown options', data, changedState({ options: { ...quick, starts: 0 } }), 'starts'],
    ['of a target that is not there', data, changedState({ output: 3 }), 'snapshot.output'],
    ['of a climb that is not there', data, changedState({ start: 2 }), 'snapshot.start'],
    ['of too few targets', data, changedState({ best: [] }), 'snapshot.best'],
    [
      'of no iteration',
      data,
      changedState({ descent: { value: 1, iteration: 0, pairs: 1 } }),
      'snapshot.descent.iteration',
    ],
  ])('is refused when it is %s', (_, set, bytes, field) => {
    expect(refusal(() => GpTrainer.resume(module, set, bytes))).toBe(field);
  });
});

describe('GpTrainer', () => {
  it('depends on the seed, and on nothing else', () => {
    const once = complete(GpTrainer.create(module, data, quick));
    expect(complete(GpTrainer.create(module, data, quick))).toEqual(once);
    expect(complete(GpTrainer.create(module, data, { ...quick, seed: 8 })).reports).not.toEqual(once.reports);
  });

  it('recovers the noise and sees which input does not matter', () => {
    const set = bumpyData(120, 3, 1, 2);
    const inputs = set.inputs.map((x, i) => (i % 3 === 2 ? Math.sin(1e4 * x) : x));
    const targets = set.targets.map((_, row) => {
      const noise = Math.sin(1e5 * set.inputs[3 * row + 2]!);
      return Math.sin(set.inputs[3 * row]! * 2) + set.inputs[3 * row + 1]! + 0.1 * noise;
    });
    const [output] = fit({ ...set, inputs, targets }).outputs;
    const variance =
      targets.reduce((sum, y) => sum + y * y, 0) / 120 - (targets.reduce((sum, y) => sum + y, 0) / 120) ** 2;
    const noise = Math.sqrt(output!.noiseVariance * variance);
    // A sine of unit amplitude has the deviation √½.
    expect(noise).toBeGreaterThan(0.8 * 0.0707);
    expect(noise).toBeLessThan(1.2 * 0.0707);
    expect(output!.lengthScales[2]).toBeGreaterThan(10 * output!.lengthScales[0]!);
  });

  it('holds parameters within their bounds, and fixes those whose bounds are equal', () => {
    const [output] = fit(data, { lengthScaleBounds: [0.2, 0.4], noiseVarianceBounds: [0.01, 0.01] }).outputs;
    expect(output!.noiseVariance).toBeCloseTo(0.01, 14);
    for (const length of output!.lengthScales) {
      expect(length).toBeGreaterThanOrEqual(0.2 * (1 - 1e-14));
      expect(length).toBeLessThanOrEqual(0.4 * (1 + 1e-14));
    }
  });

  it('draws length scales to the prior when the data say little', () => {
    const set = bumpyData(4, 6, 1, 3);
    const ends = fit(set, { prior: 'none' }).outputs[0]!.lengthScales;
    const held = fit(set, { prior: 'dimension-scaled' }).outputs[0]!.lengthScales;
    const spread = (lengths: readonly number[]) => Math.max(...lengths) / Math.min(...lengths);
    expect(spread(ends)).toBeGreaterThan(1000);
    // The mode of the density is e^(√2 + ½·log 6 − 3) = 0.5.
    expect(spread(held)).toBeLessThan(10);
    held.forEach((length) => expect(length).toBeGreaterThan(0.1));
  });

  it('gives the first hyper-parameters before the first iteration', () => {
    const trainer = GpTrainer.create(module, data);
    expect(trainer.finish().outputs[0]).toMatchObject({ signalVariance: 1, jitter: 0 });
    expect(trainer.climbs).toEqual({ done: 0, total: 6 });
  });

  it('refuses to step beyond the end', () => {
    const trainer = GpTrainer.create(module, data, quick);
    complete(trainer);
    expect(trainer.climbs).toEqual({ done: 4, total: 4 });
    expect(() => trainer.step()).toThrow('Training is done');
  });
});

describe('unusual data', () => {
  const predicted = (set: TrainingSet, options: Partial<GpOptions> = {}) => {
    const { mean, std } = new GpPredictor(module, fit(set, options)).predict(set.inputs, set.rows);
    expect([...mean, ...std].every(Number.isFinite)).toBe(true);
    return { mean, std };
  };

  it('of one row give that row, with the first hyper-parameters', () => {
    const set = { inputs: Float64Array.of(3, 4), targets: Float64Array.of(7), rows: 1, dimension: 2, outputs: 1 };
    const { mean, std } = predicted(set);
    expect(mean[0]).toBe(7);
    expect(std[0]).toBeLessThan(0.2);
    expect(GpTrainer.create(module, set).done).toBe(true);
  });

  it('of constant targets give the constant, and an uncertainty that grows with the distance', () => {
    const set = { ...bumpyData(9, 2, 1, 3), targets: new Float64Array(9).fill(5) };
    const model = fit(set);
    const { mean, std } = new GpPredictor(module, model).predict(Float64Array.of(...set.inputs.slice(0, 2), 99, 99), 2);
    expect(mean[0]).toBe(5);
    expect(mean[1]).toBe(5);
    expect(std[0]).toBeLessThan(0.2);
    expect(std[1]).toBeCloseTo(1, 9);
  });

  it('with one constant target among others train the others', () => {
    const targets = data.targets.map((y, i) => (i % 2 === 0 ? 5 : y));
    const { reports, model } = complete(GpTrainer.create(module, { ...data, targets }, quick));
    expect(new Set(reports.map(({ output }) => output))).toEqual(new Set([1]));
    expect(model.outputs[0]!.signalVariance).toBe(1);
  });

  it('with constant columns ignore these', () => {
    const set = bumpyData(20, 2, 1, 3);
    const inputs = set.inputs.map((x, i) => (i % 2 === 1 ? 1e-3 : x));
    const single = { ...set, inputs: set.inputs.filter((_, i) => i % 2 === 0), dimension: 1 };
    const options = { starts: 1, covariance: 'rbf' } as const;
    const wide = new GpPredictor(module, fit({ ...set, inputs }, options)).predict(inputs, 20);
    const narrow = new GpPredictor(module, fit(single, options)).predict(single.inputs, 20);
    wide.mean.forEach((value, row) => expect(value).toBeCloseTo(narrow.mean[row]!, 3));
  });

  it('with equal rows average what these say', () => {
    const set = { ...bumpyData(12, 2, 1, 4), inputs: new Float64Array(24).fill(0.5) };
    const { mean, std } = predicted(set);
    const average = set.targets.reduce((sum, y) => sum + y, 0) / 12;
    expect(mean[0]).toBeCloseTo(average, 6);
    expect(new Set(mean).size).toBe(1);
    expect(std[0]).toBeLessThan(1);
  });

  it('with equal rows and no room for noise still have a factor, by jitter', () => {
    const set = bumpyData(12, 2, 1, 4);
    const doubled = {
      ...set,
      inputs: Float64Array.of(...set.inputs, ...set.inputs),
      targets: Float64Array.of(...set.targets, ...set.targets),
      rows: 24,
    };
    const options = { noiseVarianceBounds: [1e-12, 1e-12], signalVarianceBounds: [1e5, 1e5] } as const;
    expect(fit(doubled, options).outputs[0]!.jitter).toBeGreaterThan(0);
    predicted(doubled, options);
  });

  it.each([
    ['one input', bumpyData(15, 1, 1, 5)],
    ['more inputs than rows', bumpyData(5, 40, 1, 5)],
    ['two rows', bumpyData(2, 3, 1, 5)],
    ['huge numbers', { ...data, targets: data.targets.map((y) => y * 1e95), inputs: data.inputs.map((x) => x * 1e95) }],
    [
      'tiny numbers',
      { ...data, targets: data.targets.map((y) => y * 1e-200), inputs: data.inputs.map((x) => x * 1e-200) },
    ],
  ])('of %s are fine', (_, set) => {
    predicted(set, quick);
  });

  it.each([
    ['rows', { rows: 0, inputs: new Float64Array(0), targets: new Float64Array(0) }],
    ['rows', { rows: 2001, inputs: new Float64Array(6003), targets: new Float64Array(4002) }],
    ['dimension', { dimension: 0, inputs: new Float64Array(0) }],
    ['outputs', { outputs: 65, targets: new Float64Array(65 * 30) }],
    ['inputs', { inputs: new Float64Array(89) }],
    ['inputs[4]', { inputs: data.inputs.map((x, i) => (i === 4 ? NaN : x)) }],
    ['targets[5]', { targets: data.targets.map((y, i) => (i === 5 ? Infinity : y)) }],
    ['targets[5]', { targets: data.targets.map((y, i) => (i === 5 ? 1e101 : y)) }],
  ])('with a fault in %s are refused by name', (field, change) => {
    expect(refusal(() => GpTrainer.create(module, { ...data, ...change }))).toBe(field);
  });

  it.each([
    ['covariance', { covariance: 'cosine' }],
    ['mean', { mean: 'linear' }],
    ['prior', { prior: 'flat' }],
    ['starts', { starts: 0 }],
    ['maxIterations', { maxIterations: 0.5 }],
    ['seed', { seed: -1 }],
    ['noiseVarianceBounds', { noiseVarianceBounds: [1] }],
    ['lengthScaleBounds[0]', { lengthScaleBounds: [0, 1] }],
    ['signalVarianceBounds[1]', { signalVarianceBounds: [2, 1] }],
  ])('with a wrong option %s are refused', (field, options) => {
    expect(refusal(() => GpTrainer.create(module, data, options as unknown as GpOptions))).toBe(field);
  });
});

describe('a model', () => {
  const model = fit(data, quick);
  const changed = (change: Record<string, unknown>) => () => new GpPredictor(module, { ...model, ...change });
  const output = (change: Record<string, unknown>) => changed({ outputs: [{ ...model.outputs[0], ...change }] });

  it('predicts the same after a journey as JSON', () => {
    const travelled = parseGpModel(JSON.parse(JSON.stringify(model)));
    expect(travelled).toEqual(model);
    const before = new GpPredictor(module, model).predict(data.inputs, 30);
    expect(new GpPredictor(module, travelled).predict(data.inputs, 30)).toEqual(before);
  });

  it.each([
    ['model', () => parseGpModel(null)],
    ['format', changed({ format: 'tabgrid-mlp' })],
    ['version', changed({ version: 2 })],
    ['covariance', changed({ covariance: 'toString' })],
    ['mean', changed({ mean: null })],
    ['rows', changed({ rows: 1e9 })],
    ['rows', changed({ rows: -1 })],
    ['dimension', changed({ dimension: 1e9 })],
    ['inputs', changed({ inputs: 'AAAA' })],
    ['inputs', changed({ inputs: 7 })],
    ['targets', changed({ targets: model.inputs })],
    ['inputs', changed({ rows: 29 })],
    ['outputs', changed({ outputs: [] })],
    ['outputs[0]', changed({ outputs: [null, null] })],
    ['outputs[0].signalVariance', output({ signalVariance: 0 })],
    ['outputs[0].noiseVariance', output({ noiseVariance: -1 })],
    ['outputs[0].lengthScales', output({ lengthScales: [1] })],
    ['outputs[0].lengthScales', output({ lengthScales: 'long' })],
    ['outputs[0].lengthScales[1]', output({ lengthScales: [1, 'x', 1] })],
    ['outputs[0].jitter', output({ jitter: -1 })],
    ['outputs[0].logMarginalLikelihood', output({ logMarginalLikelihood: null })],
  ])('from a file with a fault in %s is refused by name', (field, act) => {
    expect(refusal(act)).toBe(field);
  });

  it('is refused when its hyper-parameters allow no covariance matrix', () => {
    const set = { ...data, inputs: new Float64Array(90).fill(1) };
    const flat = fit(set, { ...quick, noiseVarianceBounds: [0.1, 0.1] });
    const outputs = flat.outputs.map((each) => ({ ...each, signalVariance: 1e12, noiseVariance: 1e-12 }));
    expect(refusal(() => new GpPredictor(module, { ...flat, outputs }))).toBe('outputs[0]');
  });
});
