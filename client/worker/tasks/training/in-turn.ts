import { KernelInputError } from '#kernels';
import { readSnapshot, writeSnapshot } from '#kernels/runtime';
import type { Progress } from '#protocol';
import type { TaskContext } from '../body.ts';
import { betweenSteps } from '../faults.ts';

const snapshotKind = 'train-surrogate';
const snapshotVersion = 1;

/** A model in the making, as kernels have it. */
interface Trainer<Model> {
  readonly done: boolean;
  snapshot(): Uint8Array;
  finish(): Model;
}

/** Models that are trained one after the other. */
export interface Sequence<Model, Making extends Trainer<Model>> {
  readonly count: number;
  begin(index: number): Making;
  /** @throws KernelInputError when the bytes are no snapshot of this model. */
  resume(index: number, snapshot: Uint8Array): Making;
  /** @throws KernelInputError when it is no model. */
  parse(value: unknown): Model;
  /** Takes one step, and says how far the whole has come. */
  step(trainer: Making, index: number): Progress;
}

interface Work<Model, Making> {
  /** What is done, in order. */
  readonly models: readonly Model[];
  /** The next one, where it stopped; null to begin it. */
  readonly trainer: Making | null;
}

/**
 * Trains models one after the other. A snapshot has those that are done and the one under way, so that another worker ends with the same
 * bytes.
 */
export async function trainInTurn<Model extends object, Making extends Trainer<Model>>(
  context: TaskContext,
  sequence: Sequence<Model, Making>,
): Promise<Model[]> {
  const begun = resume(context, sequence);
  const models = [...begun.models];
  let resumed = begun.trainer;
  while (models.length < sequence.count) {
    const trainer: Making = resumed ?? sequence.begin(models.length);
    resumed = null;
    while (!trainer.done) {
      context.progress(sequence.step(trainer, models.length));
      context.checkpoint(() => snapshotOf(models, trainer.snapshot()));
      await betweenSteps(context);
    }
    models.push(trainer.finish());
  }
  return models;
}

function snapshotOf(models: readonly object[], inner: Uint8Array): Uint8Array {
  return writeSnapshot({
    kernel: snapshotKind,
    version: snapshotVersion,
    state: { models },
    arrays: [new Uint32Array(inner.buffer, inner.byteOffset, inner.byteLength / 4)],
  });
}

/** Where an earlier attempt stopped. Bytes that cannot be read are no reason to fail: the work begins anew. */
function resume<Model, Making extends Trainer<Model>>(
  { snapshot }: TaskContext,
  sequence: Sequence<Model, Making>,
): Work<Model, Making> {
  if (snapshot === null) return { models: [], trainer: null };
  try {
    const { state, arrays } = readSnapshot(snapshot, snapshotKind, snapshotVersion);
    const [inner] = arrays;
    if (inner === undefined || !Array.isArray(state.models)) return { models: [], trainer: null };
    const bytes = new Uint8Array(inner.buffer, inner.byteOffset, inner.byteLength);
    const models = state.models.map((model) => sequence.parse(model));
    return { models, trainer: sequence.resume(models.length, bytes) };
  } catch (error) {
    if (error instanceof KernelInputError) return { models: [], trainer: null };
    throw error;
  }
}
