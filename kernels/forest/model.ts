import {
  KernelInputError,
  decodeBase64,
  encodeBase64,
  requireInteger,
  requireRecord,
  requireText,
} from '../runtime/index.ts';
import { LIMITS, checkOptions } from './contract.ts';
import type { ForestOptions } from './contract.ts';
import { checkTrees, countNodes, packTrees, unpackTrees } from './pack.ts';
import type { PackedTrees, Shape } from './pack.ts';
import type { Tree } from './tree.ts';

/** A forest, or some consecutive trees of one, as JSON. Numbers in base64 are little-endian; see Tree for their order. */
export interface ForestModel {
  readonly format: 'tabgrid-forest';
  readonly version: 1;
  /** D */
  readonly dimension: number;
  /** C; 0 for regression. */
  readonly classes: number;
  readonly options: ForestOptions;
  /** Rows of the data, and their sha-256. */
  readonly training: { readonly rows: number; readonly data: string };
  /** Number of the first tree; a whole forest starts with 0 and has `options.nEstimators` of them. */
  readonly from: number;
  /** Nodes of each tree. */
  readonly nodeCounts: number[];
  /** base64 of u16: the feature of each node, or D for a leaf, in preorder. */
  readonly nodes: string;
  /** base64 of f64: thresholds of the inner nodes. */
  readonly thresholds: string;
  /** base64 of f64, the mean target of each leaf; or of u32, for each leaf the weights of C classes. */
  readonly leaves: string;
  /** base64 of f64, trees × D: by how much splits on each feature reduced the impurity, times the weight of the rows. */
  readonly importances: string;
}

export function makeModel(
  parts: Pick<ForestModel, 'dimension' | 'classes' | 'options' | 'training' | 'from'>,
  trees: readonly Tree[],
): ForestModel {
  const packed = packTrees(trees, parts);
  return {
    format: 'tabgrid-forest',
    version: 1,
    ...parts,
    nodeCounts: [...packed.nodeCounts],
    nodes: encodeBase64(packed.nodes),
    thresholds: encodeBase64(packed.thresholds),
    leaves: encodeBase64(packed.leaves),
    importances: encodeBase64(packed.importances),
  };
}

function decodePacked(model: ForestModel): PackedTrees {
  const { dimension, classes } = model;
  const { nodes, leaves } = countNodes(model.nodeCounts);
  const bytes = (field: 'nodes' | 'thresholds' | 'leaves' | 'importances', length: number): ArrayBufferLike =>
    decodeBase64(field, model[field], length).buffer;
  if (leaves * classes > LIMITS.nodes) {
    throw new KernelInputError('leaves', `at most ${LIMITS.nodes} weights`, leaves * classes);
  }
  return {
    nodeCounts: Uint32Array.from(model.nodeCounts),
    nodes: new Uint16Array(bytes('nodes', 2 * nodes)),
    thresholds: new Float64Array(bytes('thresholds', 8 * (nodes - leaves))),
    leaves:
      classes === 0
        ? new Float64Array(bytes('leaves', 8 * leaves))
        : new Uint32Array(bytes('leaves', 4 * leaves * classes)),
    importances: new Float64Array(bytes('importances', 8 * model.nodeCounts.length * dimension)),
  };
}

function parseShape(record: Record<string, unknown>, { criterion }: ForestOptions): Shape {
  const classes = requireInteger('classes', record.classes, { min: 0, max: LIMITS.classes });
  if ((criterion === 'squared_error') !== (classes === 0)) {
    throw new KernelInputError('classes', criterion === 'squared_error' ? '0 for regression' : 'at least 1', classes);
  }
  return { dimension: requireInteger('dimension', record.dimension, { min: 1, max: LIMITS.dimension }), classes };
}

function parseTraining(value: unknown): ForestModel['training'] {
  const record = requireRecord('training', value);
  const data = requireText('training.data', record.data, 'a sha-256 in hex');
  if (!/^[0-9a-f]{64}$/.test(data)) throw new KernelInputError('training.data', 'a sha-256 in hex', data);
  const rows = requireInteger('training.rows', record.rows, { min: 1, max: LIMITS.rows });
  return { rows, data };
}

/** Checks a model that came from a file, and decodes its trees. @throws KernelInputError naming the field. */
export function readForest(value: unknown): { model: ForestModel; trees: Tree[] } {
  const record = requireRecord('model', value);
  if (record.format !== 'tabgrid-forest') throw new KernelInputError('format', 'tabgrid-forest', record.format);
  if (record.version !== 1) throw new KernelInputError('version', '1', record.version);
  // A record with unknown values: checkOptions looks at each.
  const options = checkOptions(requireRecord('options', record.options));
  const shape = parseShape(record, options);
  const from = requireInteger('from', record.from, { min: 0, max: options.nEstimators - 1 });
  const { nodeCounts } = record;
  if (!Array.isArray(nodeCounts) || nodeCounts.length === 0 || nodeCounts.length > options.nEstimators - from) {
    throw new KernelInputError('nodeCounts', `1 to ${options.nEstimators - from} numbers`, nodeCounts);
  }
  const model: ForestModel = {
    format: 'tabgrid-forest',
    version: 1,
    ...shape,
    options,
    training: parseTraining(record.training),
    from,
    // `countNodes` looks at each.
    nodeCounts: nodeCounts as number[],
    nodes: requireText('nodes', record.nodes, 'base64'),
    thresholds: requireText('thresholds', record.thresholds, 'base64'),
    leaves: requireText('leaves', record.leaves, 'base64'),
    importances: requireText('importances', record.importances, 'base64'),
  };
  return { model, trees: unpackTrees(checkTrees(decodePacked(model), shape), shape) };
}

/** Checks a model that came from a file. @throws KernelInputError naming the field. */
export function parseForestModel(value: unknown): ForestModel {
  return readForest(value).model;
}
