import { GpuError } from '../../gpu/index.ts';
import type { GpuOpening } from '../../gpu/index.ts';
import { math } from '../../math/index.ts';
import { KernelInputError, instantiate, requireInteger } from '../../runtime/index.ts';
import type { KernelInstance } from '../../runtime/index.ts';
import type { MathExports } from '../../math/index.ts';
import type { TrainingSet } from '../contract.ts';
import type { MlpModel } from '../model.ts';
import type { MlpOptions } from '../options.ts';
import { readTrainerSnapshot } from '../snapshot.ts';
import { MlpTrainer } from '../trainer.ts';
import type { MemberReport, Placement } from './contract.ts';
import { GpuLane } from './gpu-lane.ts';
import type { TrainerState } from './gpu-lane.ts';
import type { Lane } from './lane.ts';
import { groupIndices, reasonsForWasm, shapeKey } from './support.ts';
import { WasmLane } from './wasm-lane.ts';

/** What a group may use. */
export interface GroupResources {
  /** The kernel binary. */
  readonly module: WebAssembly.Module;
  /** What `openGpu` gave. The group does not close the device. */
  readonly gpu: GpuOpening;
}

export interface GroupOptions {
  /** Epochs after which members on a GPU are read back: a loss of the device costs that many at most. Default 25. */
  readonly checkpointEpochs?: number;
}

/** A lane with the members of the group that are in it, and why they are. */
interface Berth {
  lane: Lane;
  readonly members: readonly number[];
  placement: Placement;
}

/**
 * Many perceptrons on one data set, trained at once: an ensemble, or a grid of options. Members that a GPU can train are trained
 * there, those with equal widths and activation together in few dispatches; all others in WASM, one after the other. Where a member
 * is trained shows in `placements`, and in rounding: on a GPU losses and weights agree within GROUP_TOLERANCE, not to the bit.
 *
 * A member starts from the weights that `MlpTrainer` would start from, sees the same rows in the same order, and stops by the same
 * rule. Its snapshots are a trainer's, so that it can go on anywhere.
 */
export class MlpGroup {
  readonly #module: WebAssembly.Module;
  readonly #data: TrainingSet;
  readonly #berths: readonly Berth[];
  readonly size: number;

  private constructor(module: WebAssembly.Module, data: TrainingSet, berths: readonly Berth[], size: number) {
    this.#module = module;
    this.#data = data;
    this.#berths = berths;
    this.size = size;
  }

  /** @throws KernelInputError naming the field that does not fit, of the data or of a member's options */
  static create(
    resources: GroupResources,
    data: TrainingSet,
    members: readonly MlpOptions[],
    options: GroupOptions = {},
  ): MlpGroup {
    const snapshots = members.map((member) => MlpTrainer.create(resources.module, data, member).snapshot());
    return MlpGroup.resume(resources, data, snapshots, options);
  }

  /**
   * Goes on from snapshots of trainers or of members of groups, wherever they were taken.
   *
   * @throws KernelInputError when one is none, or belongs to other data
   */
  static resume(
    resources: GroupResources,
    data: TrainingSet,
    snapshots: readonly Uint8Array[],
    { checkpointEpochs = 25 }: GroupOptions = {},
  ): MlpGroup {
    if (snapshots.length === 0) throw new KernelInputError('members', 'at least one member', snapshots);
    requireInteger('checkpointEpochs', checkpointEpochs, { min: 1 });
    const { module, gpu } = resources;
    const states = snapshots.map((snapshot) => readTrainerSnapshot(data, snapshot));
    const instance: KernelInstance<MathExports> = instantiate(module);
    const berths = plan(gpu, data, states).map(({ members, placement }): Berth => {
      const chosen = members.flatMap((m) => states[m] ?? []);
      const lane =
        placement.backend === 'webgpu' && gpu.type === 'open'
          ? new GpuLane(gpu.device, math(instance), data, chosen, checkpointEpochs)
          : new WasmLane(
              module,
              data,
              members.flatMap((m) => (snapshots[m] ? [{ snapshot: snapshots[m] }] : [])),
            );
      return { lane, members, placement };
    });
    return new MlpGroup(module, data, berths, snapshots.length);
  }

  /** Where each member is trained. Members move to WASM when a GPU fails. */
  get placements(): Placement[] {
    return Array.from({ length: this.size }, (_, member) => this.#find(member).berth.placement);
  }

  /** Whether no member needs a further epoch. */
  get done(): boolean {
    return this.#berths.every(({ lane, members }) => members.every((_, k) => lane.isDone(k)));
  }

  /** What ended a member before its time: losses or weights that are not finite. The others go on. */
  fault(member: number): KernelInputError | null {
    const { berth, k } = this.#find(member);
    return berth.lane.fault(k);
  }

  /**
   * Up to so many further epochs of every member that is not done. More epochs at once spare waiting for a GPU.
   *
   * @returns reports in the order of members, each member's in the order of epochs; none when all are done
   */
  async step(epochs = 1): Promise<MemberReport[]> {
    requireInteger('epochs', epochs, { min: 1 });
    const told = await Promise.all(this.#berths.map((berth) => this.#advance(berth, epochs)));
    return told.flat().sort((a, b) => a.member - b.member || a.epoch - b.epoch);
  }

  async #advance(berth: Berth, epochs: number): Promise<MemberReport[]> {
    let reports;
    try {
      reports = await berth.lane.advance(epochs);
    } catch (error) {
      this.#leaveGpu(berth, error);
      reports = await berth.lane.advance(epochs);
    }
    return reports.flatMap((mine, k) => mine.map((report) => ({ member: berth.members[k] ?? 0, ...report })));
  }

  /** Lets a berth's members go on in WASM from what was last read back. @throws what is no fault of a GPU */
  #leaveGpu(berth: Berth, error: unknown): void {
    const { lane } = berth;
    if (!(error instanceof GpuError) || !(lane instanceof GpuLane)) throw error;
    const members = berth.members.map((_, k) => ({ snapshot: lane.checkpoint(k), reachedEpoch: lane.reachedEpoch(k) }));
    berth.lane = new WasmLane(this.#module, this.#data, members);
    berth.placement = { backend: 'wasm', reason: error.message };
  }

  /** As `MlpTrainer.snapshot`. */
  async snapshot(member: number): Promise<Uint8Array> {
    const { berth, k } = this.#find(member);
    try {
      return await berth.lane.snapshot(k);
    } catch (error) {
      this.#leaveGpu(berth, error);
      return berth.lane.snapshot(k);
    }
  }

  /** The newest snapshot of a member that can be had without waiting: on a GPU, as of the last read-back (`checkpointEpochs`). */
  checkpoint(member: number): Uint8Array {
    const { berth, k } = this.#find(member);
    return berth.lane.checkpoint(k);
  }

  /**
   * The member's model so far, as `MlpTrainer.finish`.
   *
   * @throws KernelInputError when the member has a fault
   * @throws Error before the first epoch
   */
  async finish(member: number): Promise<MlpModel> {
    const fault = this.fault(member);
    if (fault) throw fault;
    return MlpTrainer.resume(this.#module, this.#data, await this.snapshot(member)).finish();
  }

  /** Gives the memory on the device back. */
  close(): void {
    for (const { lane } of this.#berths) lane.close();
  }

  #find(member: number): { berth: Berth; k: number } {
    for (const berth of this.#berths) {
      const k = berth.members.indexOf(member);
      if (k !== -1) return { berth, k };
    }
    throw new KernelInputError('member', `an index from 0 to ${this.size - 1}`, member);
  }
}

/** Which members are trained where: one berth on the GPU for each shape, one in WASM for each reason. */
function plan(gpu: GpuOpening, data: TrainingSet, states: readonly TrainerState[]): Omit<Berth, 'lane'>[] {
  const reasons = reasonsForWasm(
    gpu,
    data,
    states.map(({ options }) => options),
  );
  const keys = states.map(({ options }, m) => reasons[m] ?? shapeKey(options));
  return groupIndices(keys, (key) => key).map((members) => {
    const reason = reasons[members[0] ?? 0] ?? null;
    const placement: Placement =
      reason === null && gpu.type === 'open'
        ? { backend: 'webgpu', reason: gpu.device.adapter }
        : { backend: 'wasm', reason: reason ?? '' };
    return { members, placement };
  });
}
