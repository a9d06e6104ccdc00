import {
  KernelInputError,
  dataDigest,
  readSnapshot,
  requireFiniteArray,
  requireInteger,
  requireNumber,
  requireRecord,
  writeSnapshot,
} from '../runtime/index.ts';
import { checkOptions } from './contract.ts';
import type { GpOptions, TrainingSet } from './contract.ts';
import type { Theta } from './hyperparameters.ts';
import { MEMORY } from './optimiser.ts';
import type { Descent } from './optimiser.ts';

const KERNEL = 'gp';
const VERSION = 1;

/** A point that a climb has reached: θ, and minus log posterior there. */
export interface Summit {
  readonly x: Theta;
  readonly value: number;
}

export interface Progress {
  /** The target and the climb that come next, or go on. */
  readonly output: number;
  readonly start: number;
  /** The climb that goes on; null before its first iteration. */
  readonly descent: Descent | null;
  /** For each target the best end of a climb; null before the first. */
  readonly best: readonly (Summit | null)[];
}

const digestOf = ({ inputs, targets, rows, dimension, outputs }: TrainingSet): string =>
  dataDigest([rows, dimension, outputs], [inputs, targets]);

export function writeTrainerSnapshot(data: TrainingSet, options: GpOptions, progress: Progress): Uint8Array {
  const { output, start, descent, best } = progress;
  const arrays = descent ? [descent.x, descent.gradient, ...descent.steps, ...descent.changes] : [];
  const state = {
    data: digestOf(data),
    options,
    output,
    start,
    descent: descent && { value: descent.value, iteration: descent.iteration, pairs: descent.steps.length },
    best: best.map((summit) => summit?.value ?? null),
  };
  const summits = best.flatMap((summit) => summit?.x ?? []);
  return writeSnapshot({ kernel: KERNEL, version: VERSION, state, arrays: [...arrays, ...summits] });
}

/** Hands out the arrays of a snapshot one by one. */
function reader(arrays: readonly unknown[], length: number): { next: () => Float64Array; end: () => void } {
  let place = 0;
  const refuse = (): never => {
    throw new KernelInputError('snapshot.arrays', `arrays of ${length} doubles, as many as the state says`, arrays);
  };
  return {
    next: () => {
      const array = arrays[place++];
      if (!(array instanceof Float64Array) || array.length !== length) return refuse();
      return requireFiniteArray('snapshot.arrays', array, length);
    },
    end: () => {
      if (place !== arrays.length) refuse();
    },
  };
}

function readDescent(value: unknown, next: () => Float64Array): Descent | null {
  if (value === null) return null;
  const record = requireRecord('snapshot.descent', value);
  const pairs = requireInteger('snapshot.descent.pairs', record.pairs, { min: 0, max: MEMORY });
  return {
    x: next(),
    gradient: next(),
    steps: Array.from({ length: pairs }, next),
    changes: Array.from({ length: pairs }, next),
    value: requireNumber('snapshot.descent.value', record.value),
    iteration: requireInteger('snapshot.descent.iteration', record.iteration, { min: 1 }),
    done: false,
  };
}

/** @throws KernelInputError when the bytes do not fit the kernel, the data, or each other. */
export function readTrainerSnapshot(data: TrainingSet, bytes: Uint8Array): { options: GpOptions; progress: Progress } {
  const { state, arrays } = readSnapshot(bytes, KERNEL, VERSION);
  if (state.data !== digestOf(data)) {
    throw new KernelInputError('data', 'the data that the snapshot was taken with', 'other data');
  }
  const options = checkOptions(requireRecord('snapshot.options', state.options));
  const { next, end } = reader(arrays, data.dimension + 2);
  const descent = readDescent(state.descent, next);
  const values: unknown = state.best;
  if (!Array.isArray(values) || values.length !== data.outputs) {
    throw new KernelInputError('snapshot.best', `a list of ${data.outputs}`, values);
  }
  const best = values.map((value: unknown, k): Summit | null =>
    value === null ? null : { x: next(), value: requireNumber(`snapshot.best[${k}]`, value) },
  );
  end();
  const output = requireInteger('snapshot.output', state.output, { min: 0, max: data.outputs });
  const start = requireInteger('snapshot.start', state.start, { min: 0, max: options.starts - 1 });
  return { options, progress: { output, start, descent, best } };
}
