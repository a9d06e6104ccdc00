import { GROUP_TOLERANCE, MlpGroup } from '#kernels/mlp/group';
import type { GroupResources, MemberReport } from '#kernels/mlp/group';
import type { MlpOptions } from '#kernels/mlp';
import { cpuSeconds } from '../kernels/clock.ts';
import { mlpTable, mlpWorkloads } from '../kernels/mlp.ts';
import type { GpuBench, GpuCase } from './gpu.ts';

const MEMBERS = 64;
/** Seconds after which no further epochs are begun: a software adapter takes seconds for one. */
const ENOUGH_SECONDS = 10;

interface Trained {
  readonly reports: readonly MemberReport[];
  readonly epochs: number;
  readonly seconds: number;
}

/** Epochs until time is up, the first aside: it compiles the shaders. Each round is twice as long as the last. */
async function trainOnGpu(group: MlpGroup, most: number): Promise<Trained> {
  const reports = [...(await group.step())];
  const begin = performance.now();
  let seconds = 0;
  let epochs = 0;
  for (let round = 1; epochs < most && seconds < ENOUGH_SECONDS; round *= 2) {
    const count = Math.min(round, most - epochs);
    reports.push(...(await group.step(count)));
    epochs += count;
    seconds = (performance.now() - begin) / 1000;
  }
  return { reports, epochs, seconds };
}

/** As many epochs, in processor seconds. */
async function trainInWasm(group: MlpGroup, epochs: number): Promise<Trained> {
  const reports = [...(await group.step())];
  const begin = cpuSeconds();
  reports.push(...(await group.step(epochs)));
  return { reports, epochs, seconds: cpuSeconds() - begin };
}

/** The largest difference of losses, relative. */
function largestDifference(ours: Trained, wanted: Trained): number {
  const losses = new Map(wanted.reports.map(({ member, epoch, trainLoss }) => [`${member} ${epoch}`, trainLoss]));
  return ours.reports.reduce((largest, { member, epoch, trainLoss }) => {
    const loss = losses.get(`${member} ${epoch}`) ?? NaN;
    return Math.max(largest, Math.abs(trainLoss - loss) / loss);
  }, 0);
}

/** 64 perceptrons of the small workload, with different seeds. */
export const mlpEnsemble: GpuCase = {
  name: `mlp-ensemble-${MEMBERS}`,
  async run({ module, device, quick }: GpuBench) {
    const [workload] = mlpWorkloads;
    if (workload === undefined) throw new Error('there is a small workload');
    const { width, batchSize, epochs } = workload;
    const members = Array.from({ length: MEMBERS }, (_, seed): MlpOptions => ({
      hidden: [width, width],
      activation: 'relu',
      epochs,
      batchSize,
      learningRate: 1e-3,
      weightDecay: 1e-4,
      validationFraction: 0,
      patience: 0,
      seed,
    }));
    const data = mlpTable(workload);
    const onGpu: GroupResources = { module, gpu: { type: 'open', device } };
    const inWasm: GroupResources = { module, gpu: { type: 'absent', reason: 'not wanted here' } };
    const group = MlpGroup.create(onGpu, data, members);
    const trained = await trainOnGpu(group, quick ? 1 : epochs - 1);
    const backends = new Set(group.placements.map(({ backend }) => backend));
    if (!backends.has('webgpu') || backends.size > 1) throw new Error(group.placements[0]?.reason);
    group.close();
    const wanted = await trainInWasm(MlpGroup.create(inWasm, data, members), trained.epochs);
    const perEpoch = ({ seconds }: Trained): number => (1000 * seconds) / trained.epochs;
    return {
      bench: 'gpu',
      case: mlpEnsemble.name,
      unit: `ms for one epoch of all ${MEMBERS}`,
      ours: perEpoch(trained),
      peers: { 'WASM on one core': perEpoch(wanted) },
      ratio: perEpoch(wanted) / perEpoch(trained),
      adapter: device.adapter,
      epochs: trained.epochs,
      largest_loss_difference: largestDifference(trained, wanted),
      loss_tolerance: GROUP_TOLERANCE.loss,
    };
  },
};
