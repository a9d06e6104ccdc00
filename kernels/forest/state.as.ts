import { Philox } from '../rng/philox.as';
import { alloc } from '../runtime/memory.as';

/**
 * A forest in the making. N rows of D features; in one tree, n ≤ N rows are in the bag, numbered anew from 0 in the order of
 * their numbers.
 *
 * An entry says where a row stands in the order of one feature: the rank of its value among the distinct values of the
 * feature (upper half) and the row (lower half). Entries are 32 bits wide while N ≤ 65,536, else 64 bits.
 */
@unmanaged
export class Forest {
  rows: i32;
  dimension: i32;
  /** C; 0 for regression. */
  classes: i32;
  /** Whether entries have 64 bits. */
  wide: bool;
  maxDepth: i32;
  minSamplesSplit: i32;
  minSamplesLeaf: i32;
  maxFeatures: i32;
  /** Rows drawn with replacement for a tree; 0 takes each row once. */
  draws: i32;
  seed: f64;
  /** D×N f64: the distinct values of each feature, ascending. */
  values: usize;
  /**
   * Whether lists are sorted when they are needed, from ranks. Else they are sorted once and kept in order, which costs
   * effort for all features at each split: too much where few of many are looked at. The trees are the same.
   */
  gathers: bool;
  /** D×N entries in ascending order, to keep lists. */
  sorted: usize;
  /** D×N ranks, half as wide as entries, to gather lists. */
  ranks: usize;
  /** N f64: the targets, or the classes. */
  targets: usize;
  /** N f64: targets less their mean, times a power of two. */
  centred: usize;
  /** Most rows that a bag can hold. */
  capacity: i32;
  /** n */
  bag: i32;
  /** N u32: how often each row is in the bag. */
  counts: usize;
  /** N u32: the number in the bag. */
  numbers: usize;
  /** n×2 f64: weight·centred target and weight; or weight and class. */
  records: usize;
  /** n f64 */
  bagTargets: usize;
  /** Two times n entries for each feature, where lists are kept, and for the rows. Depths take turns. */
  lists: usize;
  otherLists: usize;
  /** The last of the lists: rows in their order, as pairs (number in the table, number in the bag). Its index. */
  rowLists: i32;
  /** n entries each, and 256 u32, to gather lists. */
  gathered: usize;
  otherGathered: usize;
  starts: usize;
  /** n u8: 1 where a row goes left. */
  sides: usize;
  /** D u32: the order in which features are drawn. */
  features: usize;
  /** C×2 f64: weight of each class on the left, and in the node. */
  tally: usize;
  stack: usize;
  stackSize: i32;
  rng: usize;
  /** The tree, nodes in preorder: feature, or D for a leaf. u16 */
  nodes: usize;
  nodeCount: i32;
  /** f64, of the inner nodes; while the tree grows, the ranks below and above it. */
  thresholds: usize;
  innerCount: i32;
  /** Of the leaves: f64, or C u32. */
  leaves: usize;
  leafCount: i32;
  /** D f64: impurity removed by each feature, weighted. */
  importances: usize;

  // The node at hand, and the best split of it so far.
  weight: f64;
  sum: f64;
  squares: f64;
  score: f64;
  feature: i32;
  /** Entries that go left. */
  left: i32;
  /** Ranks on the two sides of the split. */
  below: u32;
  above: u32;
}

/** A node that waits: entries from … to − 1. */
@unmanaged
export class Pending {
  from: i32;
  to: i32;
  depth: i32;
  leaf: bool;
}

/** Features for each one that is looked at, from which on lists are gathered: where both ways take the same time. */
const GATHER_FROM: i32 = 5;

/** The address of the state; tables are to be filled in, then `forestSort`. */
export function forestNew(
  rows: i32,
  dimension: i32,
  classes: i32,
  maxDepth: i32,
  minSamplesSplit: i32,
  minSamplesLeaf: i32,
  maxFeatures: i32,
  draws: i32,
  seed: f64,
): usize {
  const forest = changetype<Forest>(alloc(offsetof<Forest>()));
  forest.rows = rows;
  forest.dimension = dimension;
  forest.classes = classes;
  forest.wide = rows > 0x10000;
  forest.maxDepth = maxDepth;
  forest.minSamplesSplit = minSamplesSplit;
  forest.minSamplesLeaf = minSamplesLeaf;
  forest.maxFeatures = maxFeatures;
  forest.draws = draws;
  forest.seed = seed;
  forest.capacity = draws == 0 ? rows : min(rows, draws);
  const n = <usize>forest.capacity;
  const cells = <usize>rows * <usize>dimension;
  const entryBytes: usize = forest.wide ? 8 : 4;
  forest.values = alloc(cells * 8);
  forest.gathers = dimension >= GATHER_FROM * maxFeatures;
  if (forest.gathers) forest.ranks = alloc((cells * entryBytes) >> 1);
  else forest.sorted = alloc(cells * entryBytes);
  forest.targets = alloc(<usize>rows * 8);
  forest.centred = alloc(<usize>rows * 8);
  forest.counts = alloc(<usize>rows * 4);
  forest.numbers = alloc(<usize>rows * 4);
  forest.records = alloc(n * 16);
  forest.bagTargets = alloc(n * 8);
  forest.rowLists = forest.gathers ? 0 : dimension;
  // A search reads up to two entries beyond the end of a list.
  const listBytes = ((<usize>forest.rowLists + 1) * n + 2) * entryBytes;
  forest.lists = alloc(listBytes);
  forest.otherLists = alloc(listBytes);
  if (forest.gathers) {
    forest.gathered = alloc((n + 2) * entryBytes);
    forest.otherGathered = alloc((n + 2) * entryBytes);
    forest.starts = alloc(1024);
  }
  forest.sides = alloc(n);
  forest.features = alloc(<usize>dimension * 4);
  forest.tally = alloc(<usize>classes * 16);
  forest.stack = alloc((n + 1) * offsetof<Pending>());
  forest.rng = alloc(offsetof<Philox>());
  forest.nodes = alloc(n * 4);
  forest.thresholds = alloc(n * 8);
  forest.leaves = alloc(classes == 0 ? n * 8 : n * <usize>classes * 4);
  forest.importances = alloc(<usize>dimension * 8);
  return changetype<usize>(forest);
}

export function forestValues(forest: usize): usize {
  return changetype<Forest>(forest).values;
}

export function forestTargets(forest: usize): usize {
  return changetype<Forest>(forest).targets;
}

export function forestCentred(forest: usize): usize {
  return changetype<Forest>(forest).centred;
}

export function forestNodes(forest: usize): usize {
  return changetype<Forest>(forest).nodes;
}

export function forestNodeCount(forest: usize): i32 {
  return changetype<Forest>(forest).nodeCount;
}

export function forestThresholds(forest: usize): usize {
  return changetype<Forest>(forest).thresholds;
}

export function forestLeaves(forest: usize): usize {
  return changetype<Forest>(forest).leaves;
}

export function forestImportances(forest: usize): usize {
  return changetype<Forest>(forest).importances;
}
