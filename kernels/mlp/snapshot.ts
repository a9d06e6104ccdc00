import {
  KernelInputError,
  dataDigest,
  readSnapshot,
  requireInteger,
  requireNumber,
  requireRecord,
  writeSnapshot,
} from '../runtime/index.ts';
import { checkTrainingSet, outputWidth } from './contract.ts';
import type { EpochReport, TrainingSet } from './contract.ts';
import { checkOptions } from './options.ts';
import type { CheckedMlpOptions, MlpOptions } from './options.ts';
import { parameterCount } from './layers.ts';

const KERNEL = 'mlp';
const VERSION = 2;

export interface Progress {
  /** Epochs done. */
  readonly epoch: number;
  readonly last: EpochReport | null;
  /** The epoch whose weights are kept; null without patience. */
  readonly best: EpochReport | null;
}

/** Parameter arenas in plain form. */
export interface Arenas {
  readonly parameters: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  readonly best?: Float32Array;
}

const digestOf = ({ inputs, targets, rows, dimension, outputs, classes = 0 }: TrainingSet): string =>
  dataDigest([rows, dimension, outputs, classes], [inputs, targets]);

export function writeTrainerSnapshot(
  data: TrainingSet,
  options: CheckedMlpOptions,
  progress: Progress,
  { parameters, firstMoment, secondMoment, best }: Arenas,
): Uint8Array {
  const arrays = [parameters, firstMoment, secondMoment];
  if (best) arrays.push(best);
  return writeSnapshot({
    kernel: KERNEL,
    version: VERSION,
    state: { data: digestOf(data), options, progress },
    arrays,
  });
}

function parseReport(field: string, value: unknown): EpochReport | null {
  if (value === null) return null;
  const record = requireRecord(field, value);
  const epoch = requireInteger(`${field}.epoch`, record.epoch, { min: 1 });
  const trainLoss = requireNumber(`${field}.trainLoss`, record.trainLoss);
  if (record.validationLoss === undefined) return { epoch, trainLoss };
  return {
    epoch,
    trainLoss,
    validationLoss: requireNumber(`${field}.validationLoss`, record.validationLoss),
  };
}

function parseProgress(value: unknown): Progress {
  const record = requireRecord('snapshot.progress', value);
  return {
    epoch: requireInteger('snapshot.progress.epoch', record.epoch, { min: 0 }),
    last: parseReport('snapshot.progress.last', record.last),
    best: parseReport('snapshot.progress.best', record.best),
  };
}

/** @throws KernelInputError when the bytes do not fit the kernel, the data, or each other. */
export function readTrainerSnapshot(
  data: TrainingSet,
  bytes: Uint8Array,
): { options: CheckedMlpOptions; progress: Progress; arenas: Arenas } {
  const { state, arrays } = readSnapshot(bytes, KERNEL, VERSION);
  // A record with unknown values: checkOptions looks at each.
  const options = checkOptions(requireRecord('snapshot.options', state.options) as unknown as MlpOptions);
  if (state.data !== digestOf(checkTrainingSet(data, options.loss))) {
    throw new KernelInputError('data', 'the data that the snapshot was taken with', 'other data');
  }
  const progress = parseProgress(state.progress);
  const count = parameterCount('snapshot.options.hidden', [
    data.dimension,
    ...options.hidden,
    outputWidth(data, options.loss),
  ]);
  const expected = progress.best === null ? 3 : 4;
  const isArena = (array: unknown): array is Float32Array => array instanceof Float32Array && array.length === count;
  const [parameters, firstMoment, secondMoment, best] = arrays.filter(isArena);
  if (arrays.length !== expected || !parameters || !firstMoment || !secondMoment || (expected === 4 && !best)) {
    throw new KernelInputError('snapshot.arrays', `${expected} arrays of ${count} parameters`, arrays);
  }
  return { options, progress, arenas: { parameters, firstMoment, secondMoment, ...(best && { best }) } };
}
