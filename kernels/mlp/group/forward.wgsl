// Layer l forward: y = g(x·W + b), the last without g.

fn forward_product(l: u32, arena: u32, batch: u32, count: u32) -> Product {
  let layer = shape.layers[l];
  let x = Operand(batch + layer.input, layer.inputs, 1u);
  let w = Operand(arena + layer.weights, 1u, layer.outputs);
  return Product(x, w, true, count, layer.outputs, layer.inputs);
}

/// Row i, column j of a forward product. With `keeps_slopes` g′ goes to where δ will be.
fn take_output(l: u32, arena: u32, batch: u32, i: u32, j: u32, sum: f32, keeps_slopes: bool) {
  let layer = shape.layers[l];
  let place = batch + shape.layers[l + 1u].input + i * layer.outputs + j;
  let z = sum + arenas[arena + layer.weights + layer.inputs * layer.outputs + j];
  if (l + 1u == shape.depth) {
    scratch[place] = z;
    return;
  }
  let activated = activate(shape.activation, z);
  scratch[place] = activated.value;
  if (keeps_slopes) {
    scratch[place + shape.deltas] = activated.slope;
  }
}
