import { packRecords } from '../../gpu/index.ts';
import type { Binding, Commands, GpuDevice, Program, Word } from '../../gpu/index.ts';
import type { KernelInputError } from '../../runtime/index.ts';
import type { CheckedMlpOptions } from '../options.ts';
import type { Layout } from './layout.ts';
import { watchedLoss } from '../progress.ts';
import type { Progress } from '../snapshot.ts';
import { penaltyOf } from './rates.ts';
import { RECORD_BYTES, packSpans } from './spans.ts';
import type { Span } from './spans.ts';
import type { TablePlace } from './tables.ts';

/** Group 0 of train.wgsl. */
const BINDINGS: readonly Binding[] = [
  'uniform',
  'write',
  'write',
  'record',
  'read',
  'read',
  'read',
  'write',
  'write',
  'write',
];
const SPAN_BYTES = 24;
const REPORT_BYTES = 16;

/** A member as its lane follows it. */
export interface LaneMember {
  readonly options: CheckedMlpOptions;
  readonly place: TablePlace;
  readonly batchSize: number;
  /** Steps of one epoch. */
  readonly batches: number;
  progress: Progress;
  fault: KernelInputError | null;
}

/** What the device says of one epoch of one member. */
export interface DeviceReport {
  readonly trainLoss: number;
  readonly validationLoss: number;
  /** Whether the parameters after it are the best so far. */
  readonly isBest: boolean;
  readonly isFinite: boolean;
}

const low = (integer: number): number => integer >>> 0;
const high = (integer: number): number => Math.floor(integer / 4294967296);

/** `Member` of train.wgsl. @param rates index of its first rate */
function memberRecord({ options, place, batchSize }: LaneMember, rates: number): Word[] {
  const { table, order, trainingRows, validationRows } = place;
  const { epochs, patience, seed } = options;
  const counts = [table, order, trainingRows, validationRows, batchSize, epochs, Math.min(patience, 0xffffffff), rates];
  const words: Word[] = [...counts, low(seed), high(seed)].map((u32) => ({ u32 }));
  return [...words, { f32: penaltyOf(options) }, { u32: 0 }];
}

/** `Progress` of train.wgsl. */
function progressRecord({ progress: { epoch, best } }: LaneMember, isDone: boolean): Word[] {
  const bestLoss = best === null ? 0 : watchedLoss(best);
  return [
    { u32: epoch },
    { u32: best?.epoch ?? 0 },
    { f32: bestLoss },
    { u32: isDone ? 1 : 0 },
    { f32: 0 },
    { f32: 0 },
  ];
}

/** The memory of a lane on its device. */
export class TrainingBuffers {
  /** Parameters of one member. */
  readonly parameters: number;
  readonly #device: GpuDevice;
  readonly #layout: Layout;
  readonly #program: Program;
  readonly #shape: GPUBuffer;
  readonly #arenas: GPUBuffer;
  readonly #scratch: GPUBuffer;
  readonly #tables: GPUBuffer;
  readonly #orders: GPUBuffer;

  constructor(
    device: GpuDevice,
    layout: Layout,
    content: {
      readonly arenas: Float32Array<ArrayBuffer>;
      readonly tables: Float32Array<ArrayBuffer>;
      readonly orders: Uint32Array<ArrayBuffer>;
    },
  ) {
    this.parameters = layout.parameters;
    this.#device = device;
    this.#layout = layout;
    this.#program = device.program('mlp/group/train', BINDINGS);
    this.#shape = device.upload('uniform', layout.shape);
    this.#arenas = device.upload('storage', content.arenas);
    this.#scratch = device.storage(layout.scratchBytes);
    this.#tables = device.upload('storage', content.tables);
    this.#orders = device.upload('storage', content.orders);
  }

  /**
   * Runs epochs, one submission each.
   *
   * @param rates of each member, as `stepRates` gives them
   * @param epochs the dispatches of each epoch
   * @returns reports, epoch by epoch, in each those of all members; of members that are done they mean nothing
   */
  async run(
    members: readonly LaneMember[],
    isDone: readonly boolean[],
    rates: readonly number[][],
    epochs: readonly (readonly Span[])[],
  ): Promise<DeviceReport[]> {
    const device = this.#device;
    let next = 0;
    const records = members.map((member, k) => {
      const record = memberRecord(member, next / 2);
      next += rates[k]?.length ?? 0;
      return record;
    });
    const progress = members.map((member, k) => progressRecord(member, isDone[k] ?? true));
    const reportBytes = REPORT_BYTES * members.length * epochs.length;
    const spans = device.upload('uniform', packSpans(epochs.flat()));
    const memberList = packRecords(records);
    const taken = [
      spans,
      device.upload('storage', memberList),
      device.upload('storage', Float32Array.from(rates.flat())),
      device.upload('storage', packRecords(progress)),
      device.storage(reportBytes),
    ] as const;
    const [, memberBuffer, rateBuffer, progressBuffer, reportBuffer] = taken;
    const bindings = this.#program.bind([
      { buffer: this.#shape },
      { buffer: this.#arenas },
      { buffer: this.#scratch },
      { buffer: spans, bytes: SPAN_BYTES },
      { buffer: memberBuffer, bytes: memberList.byteLength },
      { buffer: this.#tables },
      { buffer: rateBuffer },
      { buffer: this.#orders },
      { buffer: progressBuffer },
      { buffer: reportBuffer },
    ]);
    let record = 0;
    for (const epoch of epochs) {
      const commands: Commands = device.commands();
      for (const { entry, workgroups } of epoch) {
        const pipeline = await this.#program.pipeline(entry);
        commands.dispatch(pipeline, bindings, [workgroups, members.length], RECORD_BYTES * record);
        record++;
      }
      commands.submit();
    }
    const reports = readReports(await device.read(reportBuffer, 0, reportBytes));
    for (const buffer of taken) device.buffers.giveBack(buffer);
    return reports;
  }

  /** Parameters, moments and best parameters of some members. @throws GpuError */
  async readArenas(first: number, count: number): Promise<Float32Array> {
    const bytes = 4 * this.#layout.arenaStride;
    return new Float32Array(await this.#device.read(this.#arenas, first * bytes, count * bytes));
  }

  release(): void {
    for (const buffer of [this.#shape, this.#arenas, this.#scratch, this.#tables, this.#orders]) {
      this.#device.buffers.giveBack(buffer);
    }
  }
}

function readReports(bytes: ArrayBuffer): DeviceReport[] {
  const view = new DataView(bytes);
  return Array.from({ length: bytes.byteLength / REPORT_BYTES }, (_, i) => ({
    trainLoss: view.getFloat32(REPORT_BYTES * i, true),
    validationLoss: view.getFloat32(REPORT_BYTES * i + 4, true),
    isBest: view.getUint32(REPORT_BYTES * i + 8, true) !== 0,
    isFinite: view.getUint32(REPORT_BYTES * i + 12, true) !== 0,
  }));
}
