/**
 * Random forests as scikit-learn grows them: Breiman, Random forests, Machine Learning 45 (2001), over trees of Breiman,
 * Friedman, Olshen and Stone, Classification and regression trees (1984). Slow and readable; only tests import it. The fast version gives
 * the same trees to the bit.
 */
import { drawCounts, treeRng } from './bag.ts';
import { featuresPerSplit } from './contract.ts';
import type { ForestData, ForestOptions } from './contract.ts';
import { centre } from './prepare.ts';
import type { Tree } from './tree.ts';

/** A row in the bag: its weight w is how often it is there. */
interface Case {
  readonly x: Float64Array;
  readonly y: number;
  /** Centred target. */
  readonly z: number;
  readonly w: number;
}

interface Split {
  readonly feature: number;
  readonly threshold: number;
  readonly left: Case[];
  readonly right: Case[];
  readonly score: number;
}

const total = (cases: readonly Case[], of: (c: Case) => number): number => cases.reduce((sum, c) => sum + of(c), 0);
const weightOf = (cases: readonly Case[]): number => total(cases, ({ w }) => w);

/** Σ over classes of (weight of the class)². */
function squares(cases: readonly Case[]): number {
  const tally = new Map<number, number>();
  for (const { y, w } of cases) tally.set(y, (tally.get(y) ?? 0) + w);
  return [...tally.values()].reduce((sum, weight) => sum + weight * weight, 0);
}

/**
 * What the best split has most of.
 *
 * Squared error: with mean z̄ of the node, (Σ_left w·z − W_left·z̄)² / (W_left·W_right); times the weight of the node this is by how much
 * the split reduces Σ w·(z − z̄)². Gini: Σ_c l_c²/W_left + Σ_c r_c²/W_right; less Σ_c t_c²/W this is by how much the split reduces
 * W·(1 − Σ_c p_c²). Sums run in the order of (value, row) on the left, and of rows in the node.
 */
function score(node: readonly Case[], left: readonly Case[], right: readonly Case[], classes: number): number {
  const W = weightOf(node);
  const leftW = weightOf(left);
  const rightW = W - leftW;
  if (classes > 0) return squares(left) / leftW + squares(right) / rightW;
  const mean = total(node, ({ w, z }) => w * z) / W;
  const difference = total(left, ({ w, z }) => w * z) - leftW * mean;
  return (difference * difference) / (leftW * rightW);
}

function midpoint(low: number, high: number): number {
  const middle = low / 2 + high / 2;
  return middle === high ? low : middle;
}

/** The best split on one feature; the lowest threshold of equals. Null when there is none. */
function bestOn(feature: number, node: readonly Case[], options: ForestOptions, classes: number): Split | null {
  const value = (c: Case | undefined): number => c?.x[feature] ?? NaN;
  const ordered = [...node].sort((a, b) => value(a) - value(b));
  let best: Split | null = null;
  for (let i = options.minSamplesLeaf; i <= node.length - options.minSamplesLeaf; i++) {
    const [low, high] = [value(ordered[i - 1]), value(ordered[i])];
    if (!(low < high)) continue;
    const [left, right] = [ordered.slice(0, i), ordered.slice(i)];
    const candidate = score(node, left, right, classes);
    if (best !== null && candidate <= best.score) continue;
    best = { feature, threshold: midpoint(low, high), left, right, score: candidate };
  }
  return best;
}

/** Grows tree number `index` of a forest; data and options are checked ones. */
export function growTree(data: ForestData, options: ForestOptions, index: number): Tree {
  const { rows, dimension, inputs, targets, classes = 0 } = data;
  const rng = treeRng(options, index);
  const counts = drawCounts(options, rows, rng);
  const centred = centre(targets);
  const features = Array.from({ length: dimension }, (_, feature) => feature);
  const limit = featuresPerSplit(options, dimension);
  const nodes: number[] = [];
  const thresholds: number[] = [];
  const leaves: number[] = [];
  const importances = new Float64Array(dimension);

  /** Draws features until enough of them, and one that is not constant, have been looked at; of two rows that one decides. */
  function search(node: readonly Case[]): Split | null {
    let best: Split | null = null;
    let varied = false;
    for (let drawn = 0; drawn < dimension && !(varied && (drawn >= limit || node.length === 2)); drawn++) {
      const last = dimension - 1 - drawn;
      const place = rng.integer(last + 1);
      const feature = features[place] ?? 0;
      features[place] = features[last] ?? 0;
      features[last] = feature;
      if (node.every((c) => c.x[feature] === node[0]?.x[feature])) continue;
      varied = true;
      const found = bestOn(feature, node, options, classes);
      if (found !== null && (best === null || found.score > best.score)) best = found;
    }
    return best;
  }

  function leaf(node: readonly Case[]): void {
    nodes.push(dimension);
    if (classes > 0) {
      for (let c = 0; c < classes; c++) leaves.push(weightOf(node.filter(({ y }) => y === c)));
      return;
    }
    const [first] = node;
    const equal = node.every(({ y }) => y === first?.y);
    leaves.push(equal ? (first?.y ?? NaN) : total(node, ({ w, y }) => w * y) / weightOf(node));
  }

  /** node: cases in the order of their rows. */
  function grow(node: readonly Case[], depth: number): void {
    const n = node.length;
    const small =
      depth >= (options.maxDepth ?? Infinity) || n < options.minSamplesSplit || n < 2 * options.minSamplesLeaf;
    const pure = node.every(({ y }) => y === node[0]?.y);
    const split = small || pure ? null : search(node);
    if (split === null) {
      leaf(node);
      return;
    }
    const { feature, threshold } = split;
    nodes.push(feature);
    thresholds.push(threshold);
    const W = weightOf(node);
    const gain = classes > 0 ? split.score - squares(node) / W : split.score * W;
    importances[feature] = (importances[feature] ?? 0) + Math.max(gain, 0);
    grow(
      node.filter((c) => split.left.includes(c)),
      depth + 1,
    );
    grow(
      node.filter((c) => split.right.includes(c)),
      depth + 1,
    );
  }

  const cases = Array.from({ length: rows }, (_, row) => ({
    x: inputs.subarray(row * dimension, (row + 1) * dimension),
    y: targets[row] ?? NaN,
    z: centred[row] ?? NaN,
    w: counts[row] ?? 0,
  }));
  grow(
    cases.filter(({ w }) => w > 0),
    0,
  );
  return {
    nodes: Uint16Array.from(nodes),
    thresholds: Float64Array.from(thresholds),
    leaves: classes > 0 ? Uint32Array.from(leaves) : Float64Array.from(leaves),
    importances,
  };
}

/** What a tree says of a row: the number of the leaf, counted in preorder, in which it ends. */
export function leafOf({ nodes, thresholds }: Tree, x: Float64Array): number {
  const leafMark = x.length;
  let inner = 0;
  let leaf = 0;
  let i = 0;
  /** Steps over the subtree that begins at i. */
  const skip = (): void => {
    for (let open = 1; open > 0; i++) {
      if (nodes[i] === leafMark) {
        open--;
        leaf++;
      } else {
        open++;
        inner++;
      }
    }
  };
  for (;;) {
    const feature = nodes[i] ?? leafMark;
    if (feature === leafMark) return leaf;
    const goesLeft = (x[feature] ?? NaN) <= (thresholds[inner] ?? NaN);
    i++;
    inner++;
    if (!goesLeft) skip();
  }
}
