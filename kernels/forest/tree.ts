/**
 * A decision tree, nodes in preorder: after an inner node comes its left child with all that hangs on it, then the right
 * one. So the kinds of the nodes alone say where their children are, and no list of numbers is a tree with cycles.
 */
export interface Tree {
  /** The feature of each node; D for a leaf. A row goes left when its value is at most the threshold. */
  readonly nodes: Uint16Array;
  /** Of the inner nodes, in order. */
  readonly thresholds: Float64Array;
  /** Of the leaves, in order: mean target (Float64Array); or for each of C classes the weight of its rows (Uint32Array). */
  readonly leaves: Float64Array | Uint32Array;
  /** D: by how much splits on each feature reduced the impurity, times the weight of the rows. */
  readonly importances: Float64Array;
}
