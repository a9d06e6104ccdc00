import type { Pointer } from '../runtime/index.ts';

/** Functions of forest.as.ts. `forest` is the address that `forestNew` gave; what lies where stands in state.as.ts. */
export interface ForestExports {
  forestNew(
    rows: number,
    dimension: number,
    classes: number,
    maxDepth: number,
    minSamplesSplit: number,
    minSamplesLeaf: number,
    maxFeatures: number,
    draws: number,
    seed: number,
  ): Pointer;
  forestValues(forest: Pointer): Pointer;
  forestTargets(forest: Pointer): Pointer;
  forestCentred(forest: Pointer): Pointer;
  forestSort(forest: Pointer): void;
  forestGrow(forest: Pointer, tree: number): void;
  forestNodes(forest: Pointer): Pointer;
  forestNodeCount(forest: Pointer): number;
  forestThresholds(forest: Pointer): Pointer;
  forestLeaves(forest: Pointer): Pointer;
  forestImportances(forest: Pointer): Pointer;
  forestLink(
    features: Pointer,
    thresholds: Pointer,
    count: number,
    dimension: number,
    firstLeaf: number,
    nodes: Pointer,
    leaves: Pointer,
    stack: Pointer,
  ): void;
  forestApply(nodes: Pointer, leaves: Pointer, x: Pointer, dimension: number, rows: number, out: Pointer): void;
  forestSpread(
    reached: Pointer,
    trees: number,
    rows: number,
    values: Pointer,
    k: number,
    mean: Pointer,
    deviation: Pointer,
  ): void;
}
