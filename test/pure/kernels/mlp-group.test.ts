import { describe, expect, it } from 'vitest';
import { GpuDevice } from '../../../kernels/gpu/index.ts';
import { KernelInputError } from '../../../kernels/index.ts';
import { MlpGroup, MlpGroupPredictor } from '../../../kernels/mlp/group/index.ts';
import type { GroupResources } from '../../../kernels/mlp/group/index.ts';
import { planEpoch } from '../../../kernels/mlp/group/spans.ts';
import type { Span, Work } from '../../../kernels/mlp/group/spans.ts';
import { reasonsForWasm } from '../../../kernels/mlp/group/support.ts';
import { MlpPredictor, MlpTrainer, checkOptions } from '../../../kernels/mlp/index.ts';
import type { EpochReport, MlpOptions } from '../../../kernels/mlp/index.ts';
import { kernelModule } from './load.ts';
import { defaults, smoothData } from './mlp-data.ts';

const module = await kernelModule();
const resources: GroupResources = { module, gpu: { type: 'absent', reason: 'This engine has no WebGPU.' } };
const data = smoothData(60, 3, 2, 5);
const members: MlpOptions[] = [
  { ...defaults, epochs: 3 },
  { ...defaults, epochs: 5, hidden: [7], activation: 'gelu', seed: 1 },
  { ...defaults, epochs: 40, learningRate: 0.05, patience: 2, seed: 2 },
];

async function train(group: MlpGroup, epochs: number) {
  const reports = [];
  while (!group.done) reports.push(...(await group.step(epochs)));
  return reports.sort((a, b) => a.member - b.member || a.epoch - b.epoch);
}

describe('a group without a GPU', () => {
  it('trains its members to the bits that trainers give, and says why it does so in WASM', async () => {
    const group = MlpGroup.create(resources, data, members);
    expect(group.placements).toEqual(members.map(() => ({ backend: 'wasm', reason: 'This engine has no WebGPU.' })));
    const reports = await train(group, 3);
    const trainers = members.map((options) => MlpTrainer.create(module, data, options));
    const expected = trainers.flatMap((trainer, member) => {
      const mine: ({ member: number } & EpochReport)[] = [];
      while (!trainer.done) mine.push({ member, ...trainer.step() });
      return mine;
    });
    expect(reports).toEqual(expected);
    const models = await Promise.all(members.map((_, member) => group.finish(member)));
    expect(models).toEqual(trainers.map((trainer) => trainer.finish()));
  });

  it('goes on from its snapshots, and from those of trainers', async () => {
    const undisturbed = await train(MlpGroup.create(resources, data, members), 1);
    const begun = MlpGroup.create(resources, data, members.slice(0, 2));
    const reports = await begun.step(2);
    const trainer = MlpTrainer.create(module, data, members[2]!);
    reports.push({ member: 2, ...trainer.step() });
    const resumed = MlpGroup.resume(resources, data, [
      await begun.snapshot(0),
      await begun.snapshot(1),
      trainer.snapshot(),
    ]);
    reports.push(...(await train(resumed, 4)));
    expect(reports.sort((a, b) => a.member - b.member || a.epoch - b.epoch)).toEqual(undisturbed);
  });

  it('names the member that diverges and lets the others go on', async () => {
    const group = MlpGroup.create(resources, data, [{ ...defaults, learningRate: 1e30 }, members[0]!]);
    const reports = await train(group, 2);
    expect(group.fault(0)).toMatchObject({ field: 'learningRate' });
    expect(group.fault(1)).toBeNull();
    expect(reports.filter(({ member }) => member === 1)).toHaveLength(3);
    await expect(group.finish(0)).rejects.toThrow(KernelInputError);
  });

  it('refuses what is no group, no member, no number of epochs', async () => {
    expect(() => MlpGroup.create(resources, data, [])).toThrow('members: expected at least one member');
    expect(() => MlpGroup.create(resources, data, [{ ...defaults, batchSize: 0 }])).toThrow('batchSize');
    expect(() => MlpGroup.create(resources, data, members, { checkpointEpochs: 0 })).toThrow('checkpointEpochs');
    const group = MlpGroup.create(resources, data, members);
    expect(() => group.fault(3)).toThrow('member: expected an index from 0 to 2');
    await expect(group.step(0)).rejects.toThrow('epochs: expected an integer ≥ 1');
  });

  it('predicts as the predictor does', async () => {
    const models = members.slice(0, 1).map((options) => {
      const trainer = MlpTrainer.create(module, data, options);
      trainer.step();
      return trainer.finish();
    });
    const predictor = new MlpGroupPredictor(resources, models);
    expect(predictor.placement).toEqual({ backend: 'wasm', reason: 'This engine has no WebGPU.' });
    expect(await predictor.predict(data.inputs, data.rows)).toEqual(
      new MlpPredictor(module, models).predict(data.inputs, data.rows),
    );
    await expect(predictor.predict(Float64Array.of(1, NaN, 2), 1)).rejects.toThrow('x[1]');
  });
});

/** A device that is never used, with small limits. */
function smallDevice(bytes: number): GpuDevice {
  const raw = {
    limits: { maxStorageBufferBindingSize: bytes, maxBufferSize: bytes },
    lost: new Promise(() => undefined),
    addEventListener: () => undefined,
  };
  const info = { description: 'small', vendor: '', architecture: '', device: '' };
  return new GpuDevice(raw as unknown as GPUDevice, info as GPUAdapterInfo);
}

describe('the choice of a place', () => {
  it('sends members to WASM that do not fit the device together, with the sizes', () => {
    const options = members.map(checkOptions);
    const reasons = (bytes: number) => reasonsForWasm({ type: 'open', device: smallDevice(bytes) }, data, options);
    expect(reasons(1 << 24)).toEqual([null, null, null]);
    const [first, second] = reasons(30_000);
    expect(first).toMatch(/^The group needs a buffer of \d+ bytes; the device allows 30000\.$/);
    expect(second).toBeNull();
  });
});

describe('the dispatches of an epoch', () => {
  const small: Work = {
    ...{ members: 64, widths: [8, 64, 64, 1], parameters: 4801 },
    ...{ batches: 16, batchSize: 32, validationRows: 100, capacity: 64 },
  };
  const wide: Work = { ...small, members: 5, widths: [8, 500, 500, 1], parameters: 255_501, batchSize: 64 };
  const runs = (work: Work, isTraining: boolean): Span[] =>
    planEpoch(work, 3).filter((span) => span.entry === 'run' && span.isTraining === isTraining);

  it('begin with the order of the rows and end with the report', () => {
    const spans = planEpoch(small, 3);
    expect(spans.every(({ ahead }) => ahead === 3)).toBe(true);
    expect([spans[0]?.entry, spans.at(-1)?.entry]).toEqual(['shuffle', 'conclude']);
  });

  it('cover each minibatch and each chunk of validation once, all phases of a small one at once', () => {
    const covered = (isTraining: boolean) =>
      runs(small, isTraining).flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));
    expect(covered(true)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(covered(false)).toEqual([0, 1]);
    // Gathering, 3 layers forward, errors, and back through them: update, twice δ and update.
    expect(runs(small, true).every((span) => span.firstPhase === 0 && span.endPhase === 10)).toBe(true);
    expect(runs(small, false).every((span) => span.firstPhase === 0 && span.endPhase === 5)).toBe(true);
  });

  it('grow in number, not in length, with the members', () => {
    const longest = (members: number) =>
      Math.max(...runs({ ...small, members }, true).map(({ start, end }) => (end - start) * members));
    expect(longest(200)).toBeLessThanOrEqual(longest(50));
    expect(runs({ ...small, members: 5000 }, true)).toHaveLength(16);
  });

  it('share each product of a wide batch between workgroups', () => {
    const spans = runs(wide, true);
    expect(spans).toHaveLength(16 * 10);
    expect(spans.slice(0, 10).map(({ firstPhase, endPhase }) => [firstPhase, endPhase])).toEqual(
      Array.from({ length: 10 }, (_, p) => [p, p + 1]),
    );
    // 64 rows are 2 tiles, 500 columns 8, 500 inputs 16.
    expect(spans.slice(0, 10).map(({ workgroups }) => workgroups)).toEqual([1, 16, 16, 2, 1, 16, 16, 16, 128, 8]);
    expect(runs(wide, false)).toHaveLength(2 * 5);
  });
});
