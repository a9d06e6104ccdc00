import type { GpuDevice } from '../../gpu/index.ts';
import type { MathExports } from '../../math/index.ts';
import type { KernelInputError } from '../../runtime/index.ts';
import type { EpochReport, TrainingSet } from '../contract.ts';
import type { CheckedMlpOptions } from '../options.ts';
import { writeTrainerSnapshot } from '../snapshot.ts';
import type { Arenas, Progress } from '../snapshot.ts';
import type { Lane } from './lane.ts';
import { TRAINING_ARENAS, layoutOf } from './layout.ts';
import { divergence, isDone } from '../progress.ts';
import { stepRates } from './rates.ts';
import { planEpoch } from './spans.ts';
import type { Span, Work } from './spans.ts';
import { makeTables } from './tables.ts';
import { TrainingBuffers } from './training-buffers.ts';
import type { DeviceReport, LaneMember } from './training-buffers.ts';

/** What a snapshot of a trainer holds. */
export interface TrainerState {
  readonly options: CheckedMlpOptions;
  readonly progress: Progress;
  readonly arenas: Arenas;
}

interface Checkpoint {
  readonly progress: readonly Progress[];
  /** Arenas of all members as the device has them. */
  readonly arenas: Float32Array;
}

/** Members with equal widths and activation on a GPU. */
export class GpuLane implements Lane {
  readonly #math: MathExports;
  readonly #data: TrainingSet;
  readonly #members: readonly LaneMember[];
  readonly #work: Work;
  readonly #buffers: TrainingBuffers;
  readonly #checkpointEpochs: number;
  #checkpoint: Checkpoint;
  #sinceCheckpoint = 0;

  /**
   * @param states with equal widths and activation that `reasonsForWasm` has nothing against
   * @param checkpointEpochs epochs after which everything is read back, so that a loss of the device costs no more
   */
  constructor(
    device: GpuDevice,
    math: MathExports,
    data: TrainingSet,
    states: readonly TrainerState[],
    checkpointEpochs: number,
  ) {
    const options = states.map((state) => state.options);
    const layout = layoutOf(data, options);
    const { tables, orders, places } = makeTables(data, options);
    this.#math = math;
    this.#data = data;
    this.#checkpointEpochs = checkpointEpochs;
    this.#members = states.map((state, k) => {
      const place = places[k] ?? { table: 0, order: 0, trainingRows: 0, validationRows: 0 };
      const batchSize = Math.min(state.options.batchSize, place.trainingRows);
      const batches = Math.ceil(place.trainingRows / batchSize);
      return { options: state.options, place, batchSize, batches, progress: state.progress, fault: null };
    });
    this.#work = {
      members: states.length,
      widths: layout.widths,
      parameters: layout.parameters,
      batches: Math.max(...this.#members.map(({ batches }) => batches)),
      batchSize: Math.max(...this.#members.map(({ batchSize }) => batchSize)),
      validationRows: Math.max(...this.#members.map(({ place }) => place.validationRows)),
      capacity: layout.capacity,
    };
    const arenas = packArenas(states, layout.parameters);
    this.#checkpoint = { progress: states.map(({ progress }) => progress), arenas };
    this.#buffers = new TrainingBuffers(device, layout, { arenas, tables, orders });
  }

  get size(): number {
    return this.#members.length;
  }

  async advance(epochs: number): Promise<EpochReport[][]> {
    const remaining = this.#members.map((member, k) =>
      this.isDone(k) ? 0 : member.options.epochs - member.progress.epoch,
    );
    const count = Math.min(epochs, Math.max(...remaining));
    if (count === 0) return this.#members.map(() => []);
    const rates = this.#members.map(({ options, progress, batches }) =>
      stepRates(this.#math, options, progress.epoch, count, batches),
    );
    const spans: Span[][] = Array.from({ length: count }, (_, ahead) => planEpoch(this.#work, ahead));
    const isDoneBefore = this.#members.map((_, k) => this.isDone(k));
    const reports = await this.#buffers.run(this.#members, isDoneBefore, rates, spans);
    const told = this.#members.map((member, k) => {
      const mine: EpochReport[] = [];
      for (let ahead = 0; ahead < count && !this.isDone(k); ahead++) {
        const report = follow(member, reports[ahead * this.size + k]);
        if (report) mine.push(report);
      }
      return mine;
    });
    await this.#takeCheckpoint(count);
    return told;
  }

  async #takeCheckpoint(epochs: number): Promise<void> {
    this.#sinceCheckpoint += epochs;
    if (this.#sinceCheckpoint < this.#checkpointEpochs) return;
    const progress = this.#members.map((member) => member.progress);
    this.#checkpoint = { progress, arenas: await this.#buffers.readArenas(0, this.size) };
    this.#sinceCheckpoint = 0;
  }

  isDone(k: number): boolean {
    const member = this.#members[k];
    if (member === undefined) return true;
    return member.fault !== null || isDone(member.options, member.progress);
  }

  fault(k: number): KernelInputError | null {
    return this.#members[k]?.fault ?? null;
  }

  async snapshot(k: number): Promise<Uint8Array> {
    const member = this.#member(k);
    const arenas = await this.#buffers.readArenas(k, 1);
    return this.#write(member, member.progress, arenas, 0);
  }

  checkpoint(k: number): Uint8Array {
    const member = this.#member(k);
    return this.#write(member, this.#checkpoint.progress[k] ?? member.progress, this.#checkpoint.arenas, k);
  }

  /** Epochs that have been told of member k. */
  reachedEpoch(k: number): number {
    return this.#member(k).progress.epoch;
  }

  #member(k: number): LaneMember {
    const member = this.#members[k];
    if (member === undefined) throw new RangeError(`There is no member ${k}.`);
    return member;
  }

  #write({ options }: LaneMember, progress: Progress, arenas: Float32Array, place: number): Uint8Array {
    const count = this.#buffers.parameters;
    const arena = (index: number): Float32Array => {
      const start = (TRAINING_ARENAS * place + index) * count;
      return arenas.slice(start, start + count);
    };
    const best = progress.best === null ? {} : { best: arena(3) };
    return writeTrainerSnapshot(this.#data, options, progress, {
      parameters: arena(0),
      firstMoment: arena(1),
      secondMoment: arena(2),
      ...best,
    });
  }

  close(): void {
    this.#buffers.release();
  }
}

/** Parameters, moments and best parameters of all members, one after the other. */
function packArenas(states: readonly TrainerState[], parameters: number): Float32Array<ArrayBuffer> {
  const arenas = new Float32Array(TRAINING_ARENAS * parameters * states.length);
  states.forEach(({ arenas: { parameters: weights, firstMoment, secondMoment, best } }, m) => {
    [weights, firstMoment, secondMoment, best ?? weights].forEach((arena, index) => {
      arenas.set(arena, (TRAINING_ARENAS * m + index) * parameters);
    });
  });
  return arenas;
}

/** Takes over what the device says of a member's next epoch. */
function follow(member: LaneMember, said: DeviceReport | undefined): EpochReport | null {
  if (said === undefined) return null;
  const epoch = member.progress.epoch + 1;
  if (!said.isFinite) {
    member.fault = divergence(member.options, epoch);
    return null;
  }
  const validation = member.place.validationRows > 0 ? { validationLoss: said.validationLoss } : {};
  const last: EpochReport = { epoch, trainLoss: said.trainLoss, ...validation };
  member.progress = { epoch, last, best: said.isBest ? last : member.progress.best };
  return last;
}
