// Prediction: workgroups (x, m) pass every x-th block of rows through member m.
// include: mlp/group/network.wgsl
// include: mlp/group/activation.wgsl
// include: mlp/group/product.wgsl
// include: mlp/group/forward.wgsl

/// What one dispatch does: rows from, to.
struct Span {
  start: u32,
  end: u32,
  /// Rows for which `outputs` has room.
  rows: u32,
}

@group(0) @binding(3) var<uniform> span: Span;
/// Where each member's standardised rows begin in `inputs`.
@group(0) @binding(4) var<storage, read> tables: array<u32>;
/// Rows of D numbers.
@group(0) @binding(5) var<storage, read> inputs: array<f32>;
/// M × rows × K, standardised.
@group(0) @binding(6) var<storage, read_write> outputs: array<f32>;

@compute @workgroup_size(128)
fn predict(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let m = group.y;
  let arena = m * shape.arena_stride;
  let batch = (m * groups.x + group.x) * shape.scratch_stride;
  let last = shape.layers[shape.depth];
  for (var start = span.start + group.x * shape.capacity; start < span.end; start += groups.x * shape.capacity) {
    let count = min(shape.capacity, span.end - start);
    let width = shape.layers[0].inputs;
    storageBarrier();
    for (var n = thread; n < count * width; n += THREADS) {
      scratch[batch + n] = inputs[tables[m] + start * width + n];
    }
    for (var l = 0u; l < shape.depth; l++) {
      storageBarrier();
      let product = forward_product(l, arena, batch, count);
      for (var t = 0u; t < tile_count(product); t++) {
        let tile = tile_at(product, t);
        var sums = multiply(product, tile, thread);
        for (var n = 0u; n < 16u; n++) {
          let i = tile.row + own_row(thread) + n / 4u;
          let j = tile.column + own_column(thread) + n % 4u;
          if (i < product.rows && j < product.columns) {
            take_output(l, arena, batch, i, j, sums[n / 4u][n % 4u], false);
          }
        }
      }
    }
    storageBarrier();
    for (var n = thread; n < count * last.inputs; n += THREADS) {
      outputs[(m * span.rows + start) * last.inputs + n] = scratch[batch + last.input + n];
    }
  }
}
