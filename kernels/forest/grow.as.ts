import { Philox } from '../rng/philox.as';
import { drawBag, fillLists } from './bag.as';
import { searchGini, tallyClasses } from './classification.as';
import { bytesOf, rankOf, rowOf } from './entry.as';
import { gather, rankAt } from './gather.as';
import { leafMean, searchSquaredError, sumTargets } from './regression.as';
import { Forest, Pending } from './state.as';

/** The lists of a depth: a node writes those of its children into the other ones. */
function listsAt(forest: Forest, depth: i32): usize {
  return depth & 1 ? forest.otherLists : forest.lists;
}

function push(forest: Forest, from: i32, to: i32, depth: i32, leaf: bool): void {
  const pending = changetype<Pending>(forest.stack + <usize>(forest.stackSize++) * offsetof<Pending>());
  pending.from = from;
  pending.to = to;
  pending.depth = depth;
  pending.leaf = leaf;
}

function isSmall(forest: Forest, n: i32, depth: i32): bool {
  return depth >= forest.maxDepth || n < forest.minSamplesSplit || n < 2 * forest.minSamplesLeaf;
}

/** Whether all rows of a list have the same target. */
function isPure<T>(forest: Forest, list: usize, n: i32): bool {
  const targets = forest.bagTargets;
  const first = load<f64>(targets + (rowOf<T>(load<T>(list)) << 3));
  for (let i = 1; i < n; i++) {
    if (load<f64>(targets + (rowOf<T>(load<T>(list + bytesOf<T>(i))) << 3)) != first) return false;
  }
  return true;
}

/**
 * Draws features until `maxFeatures` have been looked at and one of them was not constant, and keeps the best split; equal
 * splits are won by the feature that was drawn first and by the lowest threshold. False when there is none.
 *
 * Two rows can be parted in one way only: the first feature in which they differ decides.
 */
function search<T>(forest: Forest, lists: usize, rows: usize, from: i32, n: i32): bool {
  const rng = changetype<Philox>(forest.rng);
  const features = forest.features;
  const listBytes = bytesOf<T>(forest.bag);
  forest.score = -1.0;
  forest.left = 0;
  let varied = false;
  for (let drawn = 0, waiting = forest.dimension; waiting > 0; drawn++, waiting--) {
    if (varied && (drawn >= forest.maxFeatures || n == 2)) break;
    const place = features + ((<usize>rng.integer(waiting)) << 2);
    const last = features + ((<usize>(waiting - 1)) << 2);
    const feature = load<i32>(place);
    store<i32>(place, load<i32>(last));
    store<i32>(last, feature);
    let list: usize;
    if (forest.gathers) {
      list = gather<T>(forest, rows, n, feature);
      if (list == 0) continue;
    } else {
      list = lists + <usize>feature * listBytes + bytesOf<T>(from);
      if (rankOf<T>(load<T>(list)) == rankOf<T>(load<T>(list + bytesOf<T>(n - 1)))) continue;
    }
    varied = true;
    const before = forest.score;
    if (forest.classes == 0) searchSquaredError<T>(forest, list, n, feature);
    else searchGini<T>(forest, list, n, feature);
    if (forest.score == before) continue;
    forest.below = rankOf<T>(load<T>(list + bytesOf<T>(forest.left - 1)));
    forest.above = rankOf<T>(load<T>(list + bytesOf<T>(forest.left)));
  }
  return forest.left > 0;
}

/** Copies a list, the rows that go left first; order is kept on both sides. */
function partition<T>(from: usize, to: usize, n: i32, left: i32, sides: usize): void {
  let right = to + bytesOf<T>(left);
  const end = from + bytesOf<T>(n);
  for (; from < end; from += sizeof<T>()) {
    const entry = load<T>(from);
    const side = <usize>load<u8>(sides + rowOf<T>(entry));
    // Without a branch: sides are as good as random.
    store<T>(right ^ ((right ^ to) & (0 - side)), entry);
    to += side * sizeof<T>();
    right += (1 - side) * sizeof<T>();
  }
}

/** Copies the `count` entries of a list whose rows go to one side. The place behind them may be written to. */
function filter<T>(from: usize, to: usize, count: i32, sides: usize, wanted: u8): void {
  const end = to + bytesOf<T>(count);
  for (; to < end; from += sizeof<T>()) {
    const entry = load<T>(from);
    store<T>(to, entry);
    to += <usize>(load<u8>(sides + rowOf<T>(entry)) == wanted) * sizeof<T>();
  }
}

/**
 * Turns ranks (two u32, below and above a split) into thresholds: halfway between their values; the lower value where halfway
 * is the upper one. All at once, for the values are far away in memory and a tree alone would wait for each.
 */
function writeThresholds(forest: Forest): void {
  let place = forest.thresholds;
  for (let i = 0; i < forest.nodeCount; i++) {
    const feature = <i32>load<u16>(forest.nodes + ((<usize>i) << 1));
    if (feature == forest.dimension) continue;
    const values = forest.values + ((<usize>feature * <usize>forest.rows) << 3);
    const low = load<f64>(values + ((<usize>load<u32>(place)) << 3));
    const high = load<f64>(values + ((<usize>load<u32>(place, 4)) << 3));
    const middle = low / 2.0 + high / 2.0;
    store<f64>(place, middle == high ? low : middle);
    place += 8;
  }
}

/** Marks the rows that go left. */
function markSides<T>(forest: Forest, lists: usize, rows: usize, n: i32): void {
  const feature = forest.feature;
  const sides = forest.sides;
  if (forest.gathers) {
    for (let i = 0; i < n; i++) {
      const row = load<T>(rows + bytesOf<T>(i));
      store<u8>(sides + rowOf<T>(row), <u8>(rankAt<T>(forest, feature, rankOf<T>(row)) <= forest.below));
    }
    return;
  }
  const list = lists + <usize>feature * bytesOf<T>(forest.bag);
  for (let i = 0; i < n; i++) store<u8>(sides + rowOf<T>(load<T>(list + bytesOf<T>(i))), <u8>(i < forest.left));
}

/** Writes the best split as a node and its children onto the stack. */
function split<T>(forest: Forest, from: i32, n: i32, depth: i32): void {
  const listBytes = bytesOf<T>(forest.bag);
  const lists = listsAt(forest, depth) + bytesOf<T>(from);
  const children = listsAt(forest, depth + 1) + bytesOf<T>(from);
  const rows = <usize>forest.rowLists * listBytes;
  const feature = forest.feature;
  const left = forest.left;
  const sides = forest.sides;
  store<u16>(forest.nodes + ((<usize>(forest.nodeCount++)) << 1), <u16>feature);
  const ranks = forest.thresholds + ((<usize>(forest.innerCount++)) << 3);
  store<u32>(ranks, forest.below);
  store<u32>(ranks, forest.above, 4);
  const gain = forest.classes == 0 ? forest.score * forest.weight : forest.score - forest.squares / forest.weight;
  const importance = forest.importances + ((<usize>feature) << 3);
  store<f64>(importance, load<f64>(importance) + max(gain, 0.0));

  markSides<T>(forest, lists, lists + rows, n);
  partition<T>(lists + rows, children + rows, n, left, sides);
  const right = bytesOf<T>(left);
  const leftIsLeaf = isSmall(forest, left, depth + 1) || isPure<T>(forest, children + rows, left);
  const rightIsLeaf = isSmall(forest, n - left, depth + 1) || isPure<T>(forest, children + rows + right, n - left);
  if (!leftIsLeaf || !rightIsLeaf) {
    for (let list: usize = 0; list < rows; list += listBytes) {
      if (rightIsLeaf) filter<T>(lists + list, children + list, left, sides, 1);
      else if (leftIsLeaf) filter<T>(lists + list, children + list + right, n - left, sides, 0);
      else partition<T>(lists + list, children + list, n, left, sides);
    }
  }
  push(forest, from + left, from + n, depth + 1, rightIsLeaf);
  push(forest, from, from + left, depth + 1, leftIsLeaf);
}

function leaf<T>(forest: Forest, list: usize, n: i32): void {
  store<u16>(forest.nodes + ((<usize>(forest.nodeCount++)) << 1), <u16>forest.dimension);
  const classes = forest.classes;
  const index = <usize>(forest.leafCount++);
  if (classes == 0) {
    store<f64>(forest.leaves + (index << 3), leafMean<T>(forest, list, n));
    return;
  }
  tallyClasses<T>(forest, list, n);
  for (let c = 0; c < classes; c++) {
    const weight = load<f64>(forest.tally + ((<usize>c) << 4), 8);
    store<u32>(forest.leaves + ((index * <usize>classes + <usize>c) << 2), <u32>weight);
  }
}

function growNode<T>(forest: Forest, pending: Pending): void {
  const from = pending.from;
  const depth = pending.depth;
  const n = pending.to - from;
  const isLeaf = pending.leaf;
  const lists = listsAt(forest, depth);
  const rows = lists + <usize>forest.rowLists * bytesOf<T>(forest.bag) + bytesOf<T>(from);
  if (!isLeaf) {
    if (forest.classes == 0) sumTargets<T>(forest, rows, n);
    else tallyClasses<T>(forest, rows, n);
    if (search<T>(forest, lists, rows, from, n)) {
      split<T>(forest, from, n, depth);
      return;
    }
  }
  leaf<T>(forest, rows, n);
}

function grow<T>(forest: Forest): void {
  fillLists<T>(forest);
  const n = forest.bag;
  const rows = forest.lists + <usize>forest.rowLists * bytesOf<T>(n);
  push(forest, 0, n, 0, isSmall(forest, n, 0) || isPure<T>(forest, rows, n));
  while (forest.stackSize > 0) {
    growNode<T>(forest, changetype<Pending>(forest.stack + <usize>(--forest.stackSize) * offsetof<Pending>()));
  }
}

/** Grows a tree; what comes out depends on the table, the options, the seed and the number of the tree alone. */
export function forestGrow(pointer: usize, tree: f64): void {
  const forest = changetype<Forest>(pointer);
  forest.stackSize = 0;
  forest.nodeCount = 0;
  forest.innerCount = 0;
  forest.leafCount = 0;
  memory.fill(forest.importances, 0, (<usize>forest.dimension) << 3);
  for (let f = 0; f < forest.dimension; f++) store<i32>(forest.features + ((<usize>f) << 2), f);
  drawBag(forest, tree);
  if (forest.wide) grow<u64>(forest);
  else grow<u32>(forest);
  writeThresholds(forest);
}
