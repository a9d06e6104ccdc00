import { KernelInputError, readSnapshot, requireInteger, requireRecord, writeSnapshot } from '../runtime/index.ts';
import type { Snapshot } from '../runtime/index.ts';
import { checkOptions } from './contract.ts';
import type { ForestData, ForestOptions } from './contract.ts';
import { checkTrees, packTrees, unpackTrees } from './pack.ts';
import type { Shape } from './pack.ts';
import type { Tree } from './tree.ts';

const KERNEL = 'forest';
const VERSION = 1;

/** Which trees are to be grown: from … to − 1. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Where a trainer stands: `trees` are the first ones of its range. */
export interface Standing {
  readonly options: ForestOptions;
  readonly range: Range;
  readonly trees: readonly Tree[];
}

/** Snapshots have no 16-bit numbers: two of them make a word, the first one below. */
function toWords(nodes: Uint16Array): Uint32Array {
  const padded = new Uint16Array(nodes.length + (nodes.length % 2));
  padded.set(nodes);
  return new Uint32Array(padded.buffer);
}

/** @throws KernelInputError unless it is a range of trees of the forest. */
export function checkRange(range: Range, { nEstimators }: ForestOptions): Range {
  const from = requireInteger('from', range.from, { min: 0, max: nEstimators - 1 });
  return { from, to: requireInteger('to', range.to, { min: from + 1, max: nEstimators }) };
}

export function writeForestSnapshot(digest: string, { options, range, trees }: Standing, shape: Shape): Uint8Array {
  const { nodeCounts, nodes, thresholds, leaves, importances } = packTrees(trees, shape);
  return writeSnapshot({
    kernel: KERNEL,
    version: VERSION,
    state: { data: digest, options, range },
    arrays: [nodeCounts, toWords(nodes), thresholds, leaves, importances],
  });
}

function readTrees(arrays: Snapshot['arrays'], shape: Shape): Tree[] {
  const [nodeCounts, words, thresholds, leaves, importances] = arrays;
  if (
    arrays.length !== 5 ||
    !(nodeCounts instanceof Uint32Array && words instanceof Uint32Array) ||
    !(thresholds instanceof Float64Array && importances instanceof Float64Array) ||
    !(leaves instanceof Float64Array || leaves instanceof Uint32Array) ||
    leaves instanceof Float64Array !== (shape.classes === 0)
  ) {
    throw new KernelInputError('snapshot.arrays', 'the five arrays of a forest', arrays);
  }
  const count = nodeCounts.reduce((sum, nodes) => sum + nodes, 0);
  const nodes = new Uint16Array(words.buffer, 0, Math.min(count, 2 * words.length));
  return unpackTrees(checkTrees({ nodeCounts, nodes, thresholds, leaves, importances }, shape), shape);
}

/** The options, which say whether `data` are classes. @throws KernelInputError when the bytes are no snapshot of this kernel. */
export function readSnapshotOptions(bytes: Uint8Array): ForestOptions {
  const { state } = readSnapshot(bytes, KERNEL, VERSION);
  return checkOptions(requireRecord('snapshot.options', state.options));
}

/** @throws KernelInputError when the bytes do not fit the kernel, the (checked) data, or each other. */
export function readForestSnapshot(bytes: Uint8Array, digest: string, data: ForestData): Standing {
  const { state, arrays } = readSnapshot(bytes, KERNEL, VERSION);
  if (state.data !== digest) {
    throw new KernelInputError('data', 'the data that the snapshot was taken with', 'other data');
  }
  const options = readSnapshotOptions(bytes);
  const range = requireRecord('snapshot.range', state.range);
  const { from, to } = checkRange({ from: Number(range.from), to: Number(range.to) }, options);
  const trees = readTrees(arrays, { dimension: data.dimension, classes: data.classes ?? 0 });
  if (trees.length > to - from) throw new KernelInputError('snapshot.arrays', `at most ${to - from} trees`, trees);
  return { options, range: { from, to }, trees };
}
