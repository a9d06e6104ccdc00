import { openGpu } from '#kernels/gpu';
import { MlpPredictor } from '#kernels/mlp';
import type { MlpModel, MlpOptions, TrainingSet } from '#kernels/mlp';
import { MlpGroup, MlpGroupPredictor } from '#kernels/mlp/group';
import type { GroupResources, MemberReport, Placement } from '#kernels/mlp/group';
import type { Scenario } from './scenario.ts';

const ROWS = 160;
const DIMENSION = 4;
const OUTPUTS = 2;

/** A smooth function of four numbers with some noise, the same on every engine. */
function makeData(): TrainingSet {
  const inputs = Float64Array.from({ length: ROWS * DIMENSION }, (_, i) => ((i * 7919) % 1009) / 250);
  const targets = new Float64Array(ROWS * OUTPUTS);
  for (let row = 0; row < ROWS; row++) {
    const [a = 0, b = 0, c = 0, d = 0] = inputs.subarray(row * DIMENSION, (row + 1) * DIMENSION);
    targets[2 * row] = a * b - c + ((row * 31) % 17) / 40;
    targets[2 * row + 1] = 100 + (d - 2) * (d - 2) - a;
  }
  return { inputs, targets, rows: ROWS, dimension: DIMENSION, outputs: OUTPUTS };
}

const plain: MlpOptions = {
  hidden: [16, 16],
  activation: 'relu',
  epochs: 4,
  batchSize: 16,
  learningRate: 3e-3,
  weightDecay: 0,
  validationFraction: 0.2,
  patience: 0,
  seed: 0,
};

/** 64 members that differ in everything that the shaders know. */
const ensemble: readonly MlpOptions[] = Array.from({ length: 64 }, (_, i): MlpOptions => ({
  ...plain,
  activation: i < 48 ? 'relu' : i < 56 ? 'tanh' : 'gelu',
  epochs: 3 + (i % 3),
  batchSize: [16, 24, 1000][i % 3] ?? 16,
  learningRate: [1e-3, 3e-3, 1e-2, 3e-2][i % 4] ?? 1e-3,
  weightDecay: i % 2 === 0 ? 0 : 1e-2,
  solver: i % 8 < 4 ? 'adam' : 'adamw',
  schedule: i % 5 === 0 ? { kind: 'cosine', warmup: 1 } : { kind: 'constant' },
  validationFraction: i % 7 === 0 ? 0 : 0.2,
  patience: i % 4 === 3 ? 1 : 0,
  seed: i < 32 ? i : 0x1_0000_0000 + i,
}));

async function trainToEnd(group: MlpGroup, epochs: number): Promise<MemberReport[]> {
  const reports: MemberReport[] = [];
  while (!group.done) reports.push(...(await group.step(epochs)));
  return reports.sort((a, b) => a.member - b.member || a.epoch - b.epoch);
}

const modelsOf = (group: MlpGroup): Promise<MlpModel[]> =>
  Promise.all(Array.from({ length: group.size }, (_, member) => group.finish(member)));

/** What training and predicting gives on the device, and what it gives in WASM. */
async function compare(onGpu: GroupResources, inWasm: GroupResources, data: TrainingSet) {
  const [group, expected] = [MlpGroup.create(onGpu, data, ensemble), MlpGroup.create(inWasm, data, ensemble)];
  const placements = group.placements;
  const reports = await trainToEnd(group, 2);
  const expectedReports = await trainToEnd(expected, 1);
  const models = await modelsOf(group);
  group.close();
  const mixed = [...models, ...(await modelsOf(expected))];
  // More rows than one block, and not a multiple of one.
  const x = Float64Array.from({ length: 150 * DIMENSION }, (_, i) => ((i * 104729) % 1013) / 200 - 0.5);
  const predictor = new MlpGroupPredictor(onGpu, mixed);
  const predictions = await predictor.predict(x, 150);
  const placement = predictor.placement;
  predictor.close();
  const wanted = new MlpPredictor(inWasm.module, mixed).predict(x, 150);
  return {
    placements,
    reports,
    expectedReports,
    bestEpochs: models.map(({ training }) => training.bestEpoch),
    epochs: models.map(({ training }) => training.epochs),
    prediction: { placement, mean: [...predictions.mean], std: [...predictions.std] },
    wantedPrediction: { mean: [...wanted.mean], std: [...wanted.std] },
  };
}

/** Two epochs in one place, the rest in the other. */
async function move(onGpu: GroupResources, inWasm: GroupResources, data: TrainingSet) {
  const options = [0, 1].map((seed): MlpOptions => ({ ...plain, seed, patience: 4, epochs: 5 }));
  const stay = await trainToEnd(MlpGroup.create(inWasm, data, options), 5);
  const moved = async (first: GroupResources, second: GroupResources): Promise<MemberReport[]> => {
    const begun = MlpGroup.create(first, data, options);
    const reports = await begun.step(2);
    const snapshots = await Promise.all(options.map((_, member) => begun.snapshot(member)));
    begun.close();
    const resumed = MlpGroup.resume(second, data, snapshots);
    reports.push(...(await trainToEnd(resumed, 2)));
    resumed.close();
    return reports.sort((a, b) => a.member - b.member || a.epoch - b.epoch);
  };
  return { stay, toWasm: await moved(onGpu, inWasm), toGpu: await moved(inWasm, onGpu) };
}

/** Networks so wide that workgroups share each product. */
async function widen(onGpu: GroupResources, inWasm: GroupResources, data: TrainingSet) {
  const options = [0, 1].map((seed): MlpOptions => ({ ...plain, hidden: [210, 210], batchSize: 128, epochs: 2, seed }));
  const group = MlpGroup.create(onGpu, data, options);
  const reports = await trainToEnd(group, 2);
  const { placements } = group;
  group.close();
  return { placements, reports, wanted: await trainToEnd(MlpGroup.create(inWasm, data, options), 2) };
}

/** Members that shaders cannot train, and one that no one can, beside one that they can. */
async function mix(onGpu: GroupResources, data: TrainingSet) {
  const group = MlpGroup.create(onGpu, data, [
    plain,
    { ...plain, dropout: 0.2 },
    { ...plain, loss: 'gaussian_nll' },
    { ...plain, learningRate: 1e30 },
  ]);
  const placements: Placement[] = group.placements;
  const reports = await trainToEnd(group, 1);
  const faults = placements.map((_, member) => group.fault(member)?.message ?? null);
  const refused = await group.finish(3).then(
    () => null,
    (error: unknown) => String(error),
  );
  group.close();
  return {
    placements,
    faults,
    refused,
    epochs: placements.map((_, m) => reports.filter((r) => r.member === m).length),
  };
}

/** The device goes between two steps, after epoch 3 of 5, with the last checkpoint at epoch 2. */
async function lose(onGpu: GroupResources, inWasm: GroupResources, data: TrainingSet, destroy: () => void) {
  const options = [0, 1, 2].map((seed): MlpOptions => ({ ...plain, seed, epochs: 5, patience: seed === 2 ? 3 : 0 }));
  const stay = await trainToEnd(MlpGroup.create(inWasm, data, options), 5);
  const group = MlpGroup.create(onGpu, data, options, { checkpointEpochs: 2 });
  const reports = [...(await group.step(2)), ...(await group.step(1))];
  const models = await modelsOf(group);
  const predictor = new MlpGroupPredictor(onGpu, models);
  const under = group.step(1);
  destroy();
  reports.push(...(await under));
  const placements = group.placements;
  reports.push(...(await trainToEnd(group, 1)));
  reports.sort((a, b) => a.member - b.member || a.epoch - b.epoch);
  const x = data.inputs.subarray(0, 10 * DIMENSION);
  const predicted = await predictor.predict(x, 10);
  const wanted = new MlpPredictor(inWasm.module, models).predict(x, 10);
  return {
    stay,
    reports,
    placements,
    prediction: { placement: predictor.placement, mean: [...predicted.mean], wanted: [...wanted.mean] },
  };
}

/** Everything about perceptrons on one device, for a device compiles its shaders anew. */
export const perceptrons: Scenario = async (gpu, module) => {
  const opening = await openGpu(gpu);
  if (opening.type === 'absent') throw new Error(opening.reason);
  const { device } = opening;
  const onGpu: GroupResources = { module, gpu: opening };
  const inWasm: GroupResources = { module, gpu: { type: 'absent', reason: 'not wanted' } };
  const data = makeData();
  const compared = await compare(onGpu, inWasm, data);
  const moved = await move(onGpu, inWasm, data);
  const widened = await widen(onGpu, inWasm, data);
  const mixed = await mix(onGpu, data);
  const lost = await lose(onGpu, inWasm, data, () => device.raw.destroy());
  await device.close();
  return { adapter: device.adapter, compared, moved, widened, mixed, lost };
};
