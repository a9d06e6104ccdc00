// One minibatch of one member in phases. Each needs all of the one before: one workgroup that does all of them waits for itself between
// them; when many share the work, each phase is a dispatch. Three kinds of products share one body:
// compilers put a function wherever it is called.

/// Inputs of the batch's rows into the scratch.
const GATHER = 0u;
const FORWARD = 1u;
/// δ of the last layer.
const ERRORS = 2u;
/// δ of layer l − 1 from δ of layer l: (δ·Wᵀ)·g′, where g′ waits in its place.
const BACK = 3u;
/// Layer l takes its step; the gradient xᵀ·δ is used where it is summed, and never stored.
const UPDATE = 4u;

struct Phase {
  kind: u32,
  layer: u32,
}

/// Gather; forward through layers 0 … L − 1; errors; then, in training, back and update of L − 1, of L − 2, …; update of layer 0.
fn phase_at(p: u32) -> Phase {
  if (p == 0u) {
    return Phase(GATHER, 0u);
  }
  if (p <= shape.depth) {
    return Phase(FORWARD, p - 1u);
  }
  if (p == shape.depth + 1u) {
    return Phase(ERRORS, 0u);
  }
  let q = p - shape.depth - 2u;
  let layer = shape.depth - 1u - q / 2u;
  return Phase(select(BACK, UPDATE, q % 2u == 1u || layer == 0u), layer);
}

fn delta_at(l: u32, batch: u32) -> u32 {
  return batch + shape.layers[l + 1u].input + shape.deltas;
}

fn phase_product(phase: Phase, arena: u32, batch: u32, count: u32) -> Product {
  let l = phase.layer;
  let layer = shape.layers[l];
  let delta = delta_at(l, batch);
  switch phase.kind {
    case BACK: {
      let w = Operand(arena + layer.weights, layer.outputs, 1u);
      return Product(Operand(delta, layer.outputs, 1u), w, true, count, layer.inputs, layer.outputs);
    }
    case UPDATE: {
      let x = Operand(batch + layer.input, 1u, layer.inputs);
      return Product(x, Operand(delta, 1u, layer.outputs), false, layer.inputs, layer.outputs, count);
    }
    default: {
      return forward_product(l, arena, batch, count);
    }
  }
}

/// Row i, column j of the phase's product goes where it belongs.
fn take_number(phase: Phase, arena: u32, batch: u32, i: u32, j: u32, sum: f32, rate: Rate) {
  let layer = shape.layers[phase.layer];
  switch phase.kind {
    case BACK: {
      let place = batch + layer.input + shape.deltas + i * layer.inputs + j;
      scratch[place] = sum * scratch[place];
    }
    case UPDATE: {
      adam(arena + layer.weights + i * layer.outputs + j, sum, rate);
    }
    default: {
      take_output(phase.layer, arena, batch, i, j, sum, true);
    }
  }
}

fn update_bias(l: u32, arena: u32, batch: u32, count: u32, rate: Rate, thread: u32) {
  let layer = shape.layers[l];
  for (var j = thread; j < layer.outputs; j += THREADS) {
    var sum = 0.0;
    for (var i = 0u; i < count; i++) {
      sum += scratch[delta_at(l, batch) + i * layer.outputs + j];
    }
    adam(arena + layer.weights + layer.inputs * layer.outputs + j, sum, Rate(rate.rate, 0.0, 1.0));
  }
}

/// The workgroup's share of a product: tile `first`, and every `stride`-th after it.
fn run_product(
  phase: Phase, arena: u32, batch: u32, count: u32, rate: Rate, first: u32, stride: u32, thread: u32,
) {
  let product = phase_product(phase, arena, batch, count);
  for (var t = first; t < tile_count(product); t += stride) {
    let tile = tile_at(product, t);
    var sums = multiply(product, tile, thread);
    for (var n = 0u; n < 16u; n++) {
      let i = tile.row + own_row(thread) + n / 4u;
      let j = tile.column + own_column(thread) + n % 4u;
      if (i < product.rows && j < product.columns) {
        take_number(phase, arena, batch, i, j, sums[n / 4u][n % 4u], rate);
      }
    }
  }
  if (phase.kind == UPDATE && first == 0u) {
    update_bias(phase.layer, arena, batch, count, rate, thread);
  }
}
