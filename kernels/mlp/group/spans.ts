import { packRecords } from '../../gpu/index.ts';

/**
 * Floating-point operations of one dispatch, about: a third of a second on a software adapter, a millisecond on a graphics card.
 * Operating systems and browsers take a device away that is busy with one thing for seconds.
 */
export const DISPATCH_OPERATIONS = 1 << 29;

/**
 * Operations of one batch of one member above which workgroups share it: a millisecond or so for one workgroup, beside which
 * some microseconds for each of its ten dispatches are little.
 */
const WIDE_OPERATIONS = 1 << 25;

/** As in product.wgsl. */
const TILE_ROWS = 32;
const TILE_COLUMNS = 64;

/** Records that dispatches pick by an offset are as far apart as WebGPU's default limits want it. */
export const RECORD_BYTES = 256;

export type EntryPoint = 'shuffle' | 'run' | 'conclude';

/** One dispatch: an entry point of train.wgsl and its `Span`. */
export interface Span {
  readonly entry: EntryPoint;
  /** Workgroups that share the work of a member. */
  readonly workgroups: number;
  /** The epoch, counted from the first of the submission. */
  readonly ahead: number;
  /** Minibatches in training, chunks of rows in validation: from, to. */
  readonly start: number;
  readonly end: number;
  readonly isTraining: boolean;
  /** Phases of a batch, as phases.wgsl counts them: from, to. */
  readonly firstPhase: number;
  readonly endPhase: number;
}

/** How much there is to do in one epoch. */
export interface Work {
  readonly members: number;
  /** D, hidden …, K of every member, and its parameters. */
  readonly widths: readonly number[];
  readonly parameters: number;
  /** Most minibatches, rows of a minibatch, and validation rows of any member. */
  readonly batches: number;
  readonly batchSize: number;
  readonly validationRows: number;
  /** Rows of a chunk in validation. */
  readonly capacity: number;
}

type Part = Pick<Span, 'start' | 'end'>;

/** Parts of 0 … total, each at most `most` long. */
function parts(total: number, most: number): Part[] {
  const length = Math.max(1, Math.floor(most));
  return Array.from({ length: Math.ceil(total / length) }, (_, i) => ({
    start: i * length,
    end: Math.min(total, (i + 1) * length),
  }));
}

const tiles = (rows: number, columns: number): number =>
  Math.ceil(rows / TILE_ROWS) * Math.ceil(columns / TILE_COLUMNS);

/** Tiles of each phase of a batch: those of its product, or one. */
function phaseTiles(widths: readonly number[], rows: number, isTraining: boolean): number[] {
  const layers = widths.slice(1).map((outputs, l) => ({ inputs: widths[l] ?? 0, outputs }));
  const forward = layers.map(({ outputs }) => tiles(rows, outputs));
  const backward = layers.toReversed().flatMap(({ inputs, outputs }, i) => {
    const update = tiles(inputs, outputs);
    return i === layers.length - 1 ? [update] : [tiles(rows, inputs), update];
  });
  return [1, ...forward, 1, ...(isTraining ? backward : [])];
}

/** Whether one batch of a member is too much for one workgroup. A parameter costs 6 operations a row. */
const isWide = ({ parameters, batchSize }: Work): boolean => 6 * parameters * batchSize > WIDE_OPERATIONS;

/** The dispatches of the batches of an epoch, or of its validation. */
function planRuns(work: Work, ahead: number, isTraining: boolean): Span[] {
  const { members, widths, parameters, batches, batchSize, validationRows, capacity } = work;
  const rows = isTraining ? batchSize : capacity;
  const total = isTraining ? batches : Math.ceil(validationRows / capacity);
  const phases = phaseTiles(widths, rows, isTraining);
  const common = { entry: 'run', ahead, isTraining } as const;
  if (isWide(work)) {
    return parts(total, 1).flatMap((part) =>
      phases.map((workgroups, p) => ({ ...common, ...part, workgroups, firstPhase: p, endPhase: p + 1 })),
    );
  }
  const operations = (isTraining ? 6 : 2) * parameters * rows * members;
  return parts(total, DISPATCH_OPERATIONS / operations).map((part) => ({
    ...common,
    ...part,
    workgroups: 1,
    firstPhase: 0,
    endPhase: phases.length,
  }));
}

/** The dispatches of one epoch, in order. */
export function planEpoch(work: Work, ahead: number): Span[] {
  const whole = { workgroups: 1, ahead, start: 0, end: 0, isTraining: true, firstPhase: 0, endPhase: 0 };
  return [
    { entry: 'shuffle', ...whole },
    ...planRuns(work, ahead, true),
    ...planRuns(work, ahead, false),
    { entry: 'conclude', ...whole },
  ];
}

/** The spans as uniforms, `RECORD_BYTES` apart. */
export function packSpans(spans: readonly Span[]): ArrayBuffer {
  return packRecords(
    spans.map(({ ahead, start, end, isTraining, firstPhase, endPhase }) =>
      [ahead, start, end, isTraining ? 1 : 0, firstPhase, endPhase].map((u32) => ({ u32 })),
    ),
    RECORD_BYTES,
  );
}
