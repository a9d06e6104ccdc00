import { describe, expect, it } from 'vitest';
import { KernelInputError } from '../../../kernels/index.ts';
import { MlpTrainer } from '../../../kernels/mlp/index.ts';
import type { MlpOptions, TrainingSet } from '../../../kernels/mlp/index.ts';
import { readSnapshot, writeSnapshot } from '../../../kernels/runtime/index.ts';
import { kernelModule } from './load.ts';
import { classData, defaults, smoothData } from './mlp-data.ts';

const module = await kernelModule();
const smooth = smoothData(75, 5, 2, 12);

const variants: { name: string; options: MlpOptions; data?: TrainingSet }[] = [
  { name: 'plain', options: { ...defaults, epochs: 12 } },
  {
    name: 'tanh, ragged batches',
    options: { ...defaults, activation: 'tanh', hidden: [11], batchSize: 7, epochs: 12 },
  },
  { name: 'early stopping', options: { ...defaults, learningRate: 0.05, patience: 4, epochs: 200 } },
  {
    name: 'early stopping on the training loss',
    options: { ...defaults, validationFraction: 0, patience: 2, epochs: 12 },
  },
  {
    name: 'GELU, AdamW, dropout, a cosine after a warm-up',
    options: {
      ...defaults,
      ...{ activation: 'gelu', solver: 'adamw', dropout: 0.3, schedule: { kind: 'cosine', warmup: 3.5 }, epochs: 12 },
    },
  },
  {
    name: 'a noise of each row, early stopping',
    options: { ...defaults, loss: 'gaussian_nll', beta: 0.5, learningRate: 0.05, patience: 4, epochs: 200 },
  },
  {
    name: 'classes, early stopping',
    options: { ...defaults, loss: 'log_loss', dropout: 0.1, learningRate: 0.05, patience: 4, epochs: 200 },
    data: classData(75, 5, 3, 12),
  },
];

function advance(trainer: MlpTrainer, epochs: number): MlpTrainer {
  for (let i = 0; i < epochs; i++) trainer.step();
  return trainer;
}

function complete(trainer: MlpTrainer) {
  const reports = [];
  while (!trainer.done) reports.push(trainer.step());
  return { reports, model: trainer.finish(), snapshot: trainer.snapshot() };
}

describe.each(variants)('a resumed training ($name)', ({ options, data = smooth }) => {
  const undisturbed = complete(MlpTrainer.create(module, data, options));
  const length = undisturbed.reports.length;

  it.each([0, 1, 2, Math.floor(length / 2), length - 1])('after epoch %i ends with the same bytes', (epochs) => {
    const interrupted = advance(MlpTrainer.create(module, data, options), epochs);
    const resumed = MlpTrainer.resume(module, data, interrupted.snapshot());
    expect(resumed.epoch).toBe(epochs);
    const { reports, model, snapshot } = complete(resumed);
    expect(reports).toEqual(undisturbed.reports.slice(epochs));
    expect(model).toEqual(undisturbed.model);
    expect(snapshot).toEqual(undisturbed.snapshot);
  });

  it('may be resumed after every epoch', () => {
    let trainer = MlpTrainer.create(module, data, options);
    while (!trainer.done) {
      trainer.step();
      trainer = MlpTrainer.resume(module, data, trainer.snapshot());
    }
    expect(trainer.finish()).toEqual(undisturbed.model);
  });

  it('is not disturbed by being looked at', () => {
    const trainer = MlpTrainer.create(module, data, options);
    while (!trainer.done) {
      trainer.step();
      trainer.snapshot();
      trainer.finish();
    }
    expect(trainer.snapshot()).toEqual(undisturbed.snapshot);
  });
});

describe('a snapshot', () => {
  const data = smooth;
  const options = { ...defaults, patience: 3 };
  const snapshot = advance(MlpTrainer.create(module, data, options), 3).snapshot();
  const parts = readSnapshot(snapshot, 'mlp', 2);

  it('holds three numbers for each parameter, four with early stopping, and little else', () => {
    const parameters = 5 * 16 + 16 + 16 * 16 + 16 + 16 * 2 + 2;
    const plain = advance(MlpTrainer.create(module, data, { ...defaults, patience: 0 }), 3).snapshot();
    expect(plain.length - 3 * 4 * parameters).toBeLessThan(1024);
    expect(snapshot.length - 4 * 4 * parameters).toBeLessThan(1024);
  });

  const changedData = { ...data, targets: data.targets.map((y, i) => (i === 3 ? y + 1e-9 : y)) };
  const changedState = (change: Record<string, unknown>) =>
    writeSnapshot({ ...parts, state: { ...parts.state, ...change } });

  it.each([
    ['bytes of something else', data, new Uint8Array(100), 'snapshot'],
    ['a part', data, snapshot.subarray(0, snapshot.length - 8), 'snapshot'],
    ['another version', data, writeSnapshot({ ...parts, version: 3 }), 'snapshot.version'],
    ['another kernel', data, writeSnapshot({ ...parts, kernel: 'cma-es' }), 'snapshot.kernel'],
    ['other data', changedData, snapshot, 'data'],
    ['too few arrays', data, writeSnapshot({ ...parts, arrays: parts.arrays.slice(1) }), 'snapshot.arrays'],
    [
      'arrays of another length',
      data,
      writeSnapshot({ ...parts, arrays: parts.arrays.map((a) => a.slice(1)) }),
      'snapshot.arrays',
    ],
    ['other layers', data, changedState({ options: { ...options, hidden: [3] } }), 'snapshot.arrays'],
    ['an option out of range', data, changedState({ options: { ...options, epochs: 0 } }), 'epochs'],
    ['no progress', data, changedState({ progress: null }), 'snapshot.progress'],
    [
      'a negative epoch',
      data,
      changedState({ progress: { epoch: -1, last: null, best: null } }),
      'snapshot.progress.epoch',
    ],
  ])('is refused when it is %s', (_, set, bytes, field) => {
    expect(() => MlpTrainer.resume(module, set, bytes)).toThrow(KernelInputError);
    expect(() => MlpTrainer.resume(module, set, bytes)).toThrow(new RegExp(`^${field}:`));
  });
});
