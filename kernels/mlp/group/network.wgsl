// Networks of one shape, many at once. Letters as in kernels/README.md; parameters in the plain form of layers.ts: for each layer
// W[D×H] row-major, then b[H].

struct Layer {
  /// D and H.
  inputs: u32,
  outputs: u32,
  /// Where W begins in an arena of parameters.
  weights: u32,
  /// Where the layer's input begins in a member's scratch; its output is the input of the next.
  input: u32,
}

struct Shape {
  /// L
  depth: u32,
  activation: u32,
  /// Parameters of a member.
  parameters: u32,
  /// Numbers from one member to the next, in `arenas` and in `scratch`.
  arena_stride: u32,
  scratch_stride: u32,
  /// Where δ begins in a member's scratch: that of a place is as far behind it as the place is behind the first.
  deltas: u32,
  /// D of the first layer plus K: a row of a table.
  table_stride: u32,
  /// Rows for which the scratch has room.
  capacity: u32,
  /// L layers, and one more that only says where the outputs are.
  layers: array<Layer, 18>,
}

@group(0) @binding(0) var<uniform> shape: Shape;
/// M members, each: parameters; in training also Adam's first and second moment and the best parameters so far.
@group(0) @binding(1) var<storage, read_write> arenas: array<f32>;
/// Inputs, outputs of all layers, and their δ, for one batch of each workgroup.
@group(0) @binding(2) var<storage, read_write> scratch: array<f32>;
