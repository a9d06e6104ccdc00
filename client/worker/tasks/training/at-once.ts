import { KernelInputError } from '#kernels';
import type { GpuOpening } from '#kernels/gpu';
import type { MlpModel, MlpOptions } from '#kernels/mlp';
import { MlpGroup, type Placement } from '#kernels/mlp/group';
import { readSnapshot, writeSnapshot } from '#kernels/runtime';
import type { TaskContext } from '../body.ts';
import { betweenSteps } from '../faults.ts';
import type { TrainingSet } from '../models/data.ts';

const snapshotKind = 'train-surrogate-group';
const snapshotVersion = 1;

/** Operations of one step: some seconds of the slowest adapter, one in software, and too short for a real one to be missed. */
const stepOperations = 1_000_000_000;
/** Epochs of one step at most: as many are lost with a device. */
const maxStepEpochs = 25;

export interface GroupTraining {
  readonly training: TrainingSet;
  /** One for each member; they differ in their seeds alone. */
  readonly members: readonly MlpOptions[];
}

export type GroupOutcome =
  | { readonly type: 'trained'; readonly models: MlpModel[]; readonly placement: Placement }
  /** Nothing has been done: the members are to be trained in turn. */
  | { readonly type: 'declined'; readonly reason: string };

/**
 * Trains all members at once on a GPU. What was begun so goes on in the same way where there is no GPU; what was begun in turn, or
 * cannot be trained on this GPU, is declined.
 *
 * @throws KernelInputError when a member diverges, or naming the option that does not fit
 */
export async function trainAtOnce(
  context: TaskContext,
  gpu: GpuOpening,
  { training, members }: GroupTraining,
): Promise<GroupOutcome> {
  const resources = { module: context.kernels, gpu };
  const epochsAtOnce = stepEpochs(training, members);
  const options = { checkpointEpochs: epochsAtOnce };
  const taken = context.snapshot === null ? null : memberSnapshots(context.snapshot);
  if (context.snapshot !== null && taken === null) return declined('The training was begun without a GPU.');
  const resumed = taken && whatFits(() => MlpGroup.resume(resources, training, taken, options));
  if (resumed === null && gpu.type === 'absent') return declined(gpu.reason);
  const group = resumed ?? MlpGroup.create(resources, training, members, options);
  try {
    const begun = placementOf(group);
    if (resumed === null && begun.backend === 'wasm') return declined(begun.reason);
    await advance(context, group, members, epochsAtOnce);
    const models: MlpModel[] = [];
    for (let member = 0; member < group.size; member++) models.push(await group.finish(member));
    const { backend, reason } = placementOf(group);
    const isMoved = resumed !== null && backend === 'wasm';
    return {
      type: 'trained',
      models,
      placement: { backend, reason: isMoved ? `${reason} The training was begun on a GPU.` : reason },
    };
  } finally {
    group.close();
  }
}

const declined = (reason: string): GroupOutcome => ({ type: 'declined', reason });

async function advance(
  context: TaskContext,
  group: MlpGroup,
  members: readonly MlpOptions[],
  epochsAtOnce: number,
): Promise<void> {
  while (!group.done) {
    const reports = await group.step(epochsAtOnce);
    for (let member = 0; member < group.size; member++) {
      const fault = group.fault(member);
      if (fault) throw fault;
    }
    // A member without a report is done; the last report of each of the others comes last.
    const last = new Map(reports.map((report) => [report.member, report]));
    const fractions = members.map(({ epochs }, member) => (last.get(member)?.epoch ?? epochs) / epochs);
    const losses = [...last.values()].map(({ trainLoss }) => trainLoss);
    const epoch = Math.max(...[...last.values()].map((report) => report.epoch));
    context.progress({
      fraction: mean(fractions),
      message: `${members.length} members at once, epoch ${epoch} of ${members[0]?.epochs ?? epoch}`,
      train_loss: mean(losses),
    });
    context.checkpoint(() => snapshotOf(group));
    await betweenSteps(context);
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** All members have one shape and one set of options, so that they are in one place. */
function placementOf(group: MlpGroup): Placement {
  const [placement] = group.placements;
  if (placement === undefined) throw new RangeError('A group has at least one member.');
  return placement;
}

/** Epochs between two looks at messages, in which all members together need about `stepOperations`. */
export function stepEpochs({ rows, dimension, outputs }: TrainingSet, members: readonly MlpOptions[]): number {
  const widths = [dimension, ...(members[0]?.hidden ?? []), outputs];
  const weights = widths.slice(1).reduce((sum, width, layer) => sum + width * (widths[layer] ?? 0), 0);
  // Forward, back to the errors, back to the gradient: a multiplication and an addition each.
  const operations = 6 * weights * rows * members.length;
  return Math.max(1, Math.min(maxStepEpochs, Math.floor(stepOperations / operations)));
}

function snapshotOf(group: MlpGroup): Uint8Array {
  const arrays = Array.from({ length: group.size }, (_, member) => {
    const bytes = group.checkpoint(member);
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  });
  return writeSnapshot({ kernel: snapshotKind, version: snapshotVersion, state: {}, arrays });
}

/** The members’ snapshots in that of a group; null when it is another one. */
function memberSnapshots(snapshot: Uint8Array): Uint8Array[] | null {
  return whatFits(() => {
    const { arrays } = readSnapshot(snapshot, snapshotKind, snapshotVersion);
    return arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
  });
}

/** Bytes that do not fit are no reason to fail: null. */
function whatFits<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof KernelInputError) return null;
    throw error;
  }
}
