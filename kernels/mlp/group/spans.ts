import { packRecords } from '../../gpu/index.ts';

/**
 * Floating-point operations of one dispatch, about: a third of a second on a software adapter, a millisecond on a graphics card.
 * Operating systems and browsers take a device away that is busy with one thing for seconds.
 */
export const DISPATCH_OPERATIONS = 1 << 29;

/** Records that dispatches pick by an offset are as far apart as WebGPU's default limits want it. */
export const RECORD_BYTES = 256;

export type EntryPoint = 'shuffle' | 'run' | 'conclude';

/** One dispatch: an entry point of train.wgsl and its `Span`. */
export interface Span {
  readonly entry: EntryPoint;
  /** The epoch, counted from the first of the submission. */
  readonly ahead: number;
  /** Minibatches in training, chunks of rows in validation: from, to. */
  readonly start: number;
  readonly end: number;
  readonly isTraining: boolean;
}

/** How much there is to do in one epoch, for all members together. */
export interface Work {
  /** Most minibatches, rows of a minibatch, and validation rows of any member. */
  readonly batches: number;
  readonly batchSize: number;
  readonly validationRows: number;
  /** Rows of a chunk in validation. */
  readonly capacity: number;
  /** Parameters of all members. */
  readonly parameters: number;
}

/** Parts of 0 … total, each at most `most` long. */
function parts(total: number, most: number): { start: number; end: number }[] {
  const length = Math.max(1, Math.floor(most));
  return Array.from({ length: Math.ceil(total / length) }, (_, i) => ({
    start: i * length,
    end: Math.min(total, (i + 1) * length),
  }));
}

/** The dispatches of one epoch, in order. A parameter costs 6 operations a row in training, 2 in validation. */
export function planEpoch(work: Work, ahead: number): Span[] {
  const { batches, batchSize, validationRows, capacity, parameters } = work;
  const batchesAtOnce = DISPATCH_OPERATIONS / (6 * parameters * batchSize);
  const chunksAtOnce = DISPATCH_OPERATIONS / (2 * parameters * capacity);
  const chunks = Math.ceil(validationRows / capacity);
  const runs = (part: { start: number; end: number }, isTraining: boolean): Span => ({
    entry: 'run',
    ahead,
    ...part,
    isTraining,
  });
  const whole = { ahead, start: 0, end: 0, isTraining: true };
  return [
    { entry: 'shuffle', ...whole },
    ...parts(batches, batchesAtOnce).map((part) => runs(part, true)),
    ...parts(chunks, chunksAtOnce).map((part) => runs(part, false)),
    { entry: 'conclude', ...whole },
  ];
}

/** The spans as uniforms, `RECORD_BYTES` apart. */
export function packSpans(spans: readonly Span[]): ArrayBuffer {
  return packRecords(
    spans.map(({ ahead, start, end, isTraining }) => [
      { u32: ahead },
      { u32: start },
      { u32: end },
      { u32: isTraining ? 1 : 0 },
    ]),
    RECORD_BYTES,
  );
}
