import { KernelInputError, requireFiniteArray, requireInteger } from '../runtime/index.ts';
import { LIMITS } from './contract.ts';
import type { Tree } from './tree.ts';

/** Trees one behind the other: see Tree. */
export interface PackedTrees {
  /** Nodes of each tree. */
  readonly nodeCounts: Uint32Array;
  readonly nodes: Uint16Array;
  readonly thresholds: Float64Array;
  /** Leaves × 1 (regression) or leaves × C. */
  readonly leaves: Float64Array | Uint32Array;
  /** Trees × D. */
  readonly importances: Float64Array;
}

/** D, and C or 0 for regression. */
export interface Shape {
  readonly dimension: number;
  readonly classes: number;
}

function join<T extends Uint16Array | Uint32Array | Float64Array>(parts: readonly T[], make: (length: number) => T): T {
  const whole = make(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

const isNumbers = (leaves: Tree['leaves']): leaves is Float64Array => leaves instanceof Float64Array;
const isWeights = (leaves: Tree['leaves']): leaves is Uint32Array => leaves instanceof Uint32Array;

export function packTrees(trees: readonly Tree[], { classes }: Shape): PackedTrees {
  const leaves = trees.map((tree) => tree.leaves);
  const numbers = (length: number): Float64Array => new Float64Array(length);
  const whole = (length: number): Uint32Array => new Uint32Array(length);
  return {
    nodeCounts: Uint32Array.from(trees, ({ nodes }) => nodes.length),
    nodes: join(
      trees.map(({ nodes }) => nodes),
      (length) => new Uint16Array(length),
    ),
    thresholds: join(
      trees.map(({ thresholds }) => thresholds),
      numbers,
    ),
    leaves: classes === 0 ? join(leaves.filter(isNumbers), numbers) : join(leaves.filter(isWeights), whole),
    importances: join(
      trees.map(({ importances }) => importances),
      numbers,
    ),
  };
}

/** Nodes and leaves that trees of these sizes have together. @throws KernelInputError unless each size is one of a binary tree. */
export function countNodes(nodeCounts: ArrayLike<number>): { nodes: number; leaves: number } {
  let nodes = 0;
  let leaves = 0;
  for (let tree = 0; tree < nodeCounts.length; tree++) {
    const field = `nodeCounts[${tree}]`;
    const count = requireInteger(field, nodeCounts[tree], { min: 1, max: LIMITS.nodes });
    if (count % 2 === 0) throw new KernelInputError(field, 'an odd number: each inner node has two children', count);
    nodes += count;
    leaves += (count + 1) / 2;
  }
  if (nodes > LIMITS.nodes) throw new KernelInputError('nodeCounts', `at most ${LIMITS.nodes} nodes together`, nodes);
  return { nodes, leaves };
}

/** Whether nodes from … to − 1 are one whole tree in preorder. */
function isTree(nodes: Uint16Array, from: number, to: number, leaf: number): boolean {
  let open = 1;
  for (let i = from; i < to; i++) {
    if (open === 0) return false;
    open += nodes[i] === leaf ? -1 : 1;
  }
  return open === 0;
}

function checkLeaves(leaves: PackedTrees['leaves'], length: number, classes: number): void {
  requireFiniteArray('leaves', leaves, length);
  if (classes === 0) return;
  for (let from = 0; from < length; from += classes) {
    const empty = leaves.subarray(from, from + classes).every((weight) => weight === 0);
    if (empty) throw new KernelInputError(`leaves[${from}]`, 'a leaf with rows', 0);
  }
}

/** @throws KernelInputError naming the array that does not describe trees of this shape. */
export function checkTrees(packed: PackedTrees, { dimension, classes }: Shape): PackedTrees {
  const { nodes, thresholds, leaves, importances, nodeCounts } = packed;
  const counts = countNodes(nodeCounts);
  if (nodes.length !== counts.nodes) throw new KernelInputError('nodes', `${counts.nodes} nodes`, nodes);
  const wrong = nodes.findIndex((feature) => feature > dimension);
  if (wrong !== -1) throw new KernelInputError(`nodes[${wrong}]`, `a feature below ${dimension}`, nodes[wrong]);
  let from = 0;
  nodeCounts.forEach((count, tree) => {
    if (!isTree(nodes, from, from + count, dimension)) {
      throw new KernelInputError(`nodes[${from}]`, `a whole tree of ${count} nodes (tree ${tree})`, 'another shape');
    }
    from += count;
  });
  requireFiniteArray('thresholds', thresholds, counts.nodes - counts.leaves);
  checkLeaves(leaves, counts.leaves * Math.max(classes, 1), classes);
  requireFiniteArray('importances', importances, nodeCounts.length * dimension);
  const negative = importances.findIndex((value) => value < 0);
  if (negative !== -1) throw new KernelInputError(`importances[${negative}]`, 'a number ≥ 0', importances[negative]);
  return packed;
}

/** The trees of a checked pack, as views. */
export function unpackTrees(packed: PackedTrees, { dimension, classes }: Shape): Tree[] {
  const width = Math.max(classes, 1);
  let node = 0;
  let leaf = 0;
  return Array.from(packed.nodeCounts, (count, tree) => {
    const leaves = (count + 1) / 2;
    // Nodes before this tree, less the leaves among them, are thresholds before it.
    const threshold = node - leaf;
    const view = {
      nodes: packed.nodes.subarray(node, node + count),
      thresholds: packed.thresholds.subarray(threshold, threshold + leaves - 1),
      leaves: packed.leaves.subarray(leaf * width, (leaf + leaves) * width),
      importances: packed.importances.subarray(tree * dimension, (tree + 1) * dimension),
    };
    node += count;
    leaf += leaves;
    return view;
  });
}
