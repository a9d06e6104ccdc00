// Training. Small networks: one workgroup trains one member, many minibatches in one dispatch. Large ones: many workgroups share a
// member's products, one phase of one minibatch in one dispatch.
// include: rng/philox.wgsl
// include: mlp/group/network.wgsl
// include: mlp/group/activation.wgsl
// include: mlp/group/product.wgsl
// include: mlp/group/forward.wgsl
// include: mlp/group/adam.wgsl
// include: mlp/group/phases.wgsl

struct Member {
  /// Where the member's standardised rows begin in `tables`, D inputs and K targets each.
  table: u32,
  /// Where its rows begin in `orders`: those to train on, those to validate on, and room for the former in shuffled order.
  order: u32,
  training_rows: u32,
  validation_rows: u32,
  batch_size: u32,
  epochs: u32,
  patience: u32,
  /// Where its rates begin in `rates`.
  rates: u32,
  seed: vec2<u32>,
  /// Adam's L2 penalty λ.
  penalty: f32,
  padding: u32,
}

struct Progress {
  /// Epochs done.
  epoch: u32,
  best_epoch: u32,
  best_loss: f32,
  is_done: u32,
  /// Σ of squares over the rows of the present epoch.
  training_sum: f32,
  validation_sum: f32,
}

struct Report {
  training_loss: f32,
  validation_loss: f32,
  /// Whether this epoch's parameters are the best so far, and whether all parameters are finite.
  is_best: u32,
  is_finite: u32,
}

/// What one dispatch does.
struct Span {
  /// The present epoch, counted from the first of this submission.
  ahead: u32,
  /// Minibatches, or validation rows: from, to.
  start: u32,
  end: u32,
  is_training: u32,
  /// Phases of a batch: from, to.
  first_phase: u32,
  end_phase: u32,
}

/// α with bias corrections, and the part of a weight that decoupled decay leaves, for each coming step.
struct StepRate {
  rate: f32,
  kept: f32,
}

@group(0) @binding(3) var<uniform> span: Span;
@group(0) @binding(4) var<storage, read> members: array<Member>;
@group(0) @binding(5) var<storage, read> tables: array<f32>;
@group(0) @binding(6) var<storage, read> rates: array<StepRate>;
@group(0) @binding(7) var<storage, read_write> orders: array<u32>;
@group(0) @binding(8) var<storage, read_write> progress: array<Progress>;
/// Epochs of this submission × M.
@group(0) @binding(9) var<storage, read_write> reports: array<Report>;

var<workgroup> is_done: u32;
var<workgroup> partial: array<f32, 128>;

/// Whether the member takes no further part; the same for the whole workgroup.
fn rests(m: u32, thread: u32) -> bool {
  if (thread == 0u) {
    is_done = progress[m].is_done;
  }
  return workgroupUniformLoad(&is_done) != 0u;
}

/// Σ over the workgroup, in a fixed tree; in every invocation.
fn sum_over_workgroup(value: f32, thread: u32) -> f32 {
  workgroupBarrier();
  partial[thread] = value;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      partial[thread] += partial[thread + half];
    }
  }
  workgroupBarrier();
  return partial[0];
}

/// Inputs of `count` rows, listed from `order` on, into the scratch.
fn gather(member: Member, order: u32, batch: u32, count: u32, thread: u32) {
  let width = shape.layers[0].inputs;
  for (var n = thread; n < count * width; n += THREADS) {
    let row = orders[order + n / width];
    scratch[batch + n] = tables[member.table + row * shape.table_stride + n % width];
  }
}

/// This invocation's share of Σ (ŷ − y)²; δ = scale·(ŷ − y).
fn squared_errors(member: Member, order: u32, batch: u32, count: u32, scale: f32, thread: u32) -> f32 {
  let last = shape.layers[shape.depth];
  let width = last.inputs;
  var sum = 0.0;
  for (var n = thread; n < count * width; n += THREADS) {
    let row = orders[order + n / width];
    let target_at = member.table + row * shape.table_stride + shape.layers[0].inputs + n % width;
    let error = scratch[batch + last.input + n] - tables[target_at];
    sum += error * error;
    scratch[batch + last.input + shape.deltas + n] = scale * error;
  }
  return sum;
}

struct Shuffler {
  key: vec2<u32>,
  stream: vec2<u32>,
  position: u32,
  block: vec4<u32>,
}

fn next_word(rng: ptr<function, Shuffler>) -> u32 {
  let lane = (*rng).position % 4u;
  if (lane == 0u) {
    (*rng).block = philox4x32(vec4<u32>((*rng).position / 4u, 0u, (*rng).stream), (*rng).key);
  }
  (*rng).position++;
  return (*rng).block[lane];
}

/// Uniform on 0 … n − 1, as Rng.integer.
fn next_integer(rng: ptr<function, Shuffler>, n: u32) -> u32 {
  let threshold = (0u - n) % n;
  var word = next_word(rng);
  while (word * n < threshold) {
    word = next_word(rng);
  }
  return multiply_high(word, n);
}

/// The order of the epoch that begins: the training rows shuffled by stream 2 + epoch of the seed, as mlpEpoch does.
@compute @workgroup_size(128)
fn shuffle(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let m = group.y;
  let member = members[m];
  let count = member.training_rows;
  let shuffled = member.order + count + member.validation_rows;
  for (var i = thread; i < count; i += THREADS) {
    orders[shuffled + i] = orders[member.order + i];
  }
  storageBarrier();
  if (thread != 0u) {
    return;
  }
  var rng = Shuffler(member.seed, vec2<u32>(2u + progress[m].epoch, 0u), 0u, vec4<u32>());
  for (var last = count - 1u; last > 0u; last--) {
    let other = next_integer(&rng, last + 1u);
    let kept = orders[shuffled + last];
    orders[shuffled + last] = orders[shuffled + other];
    orders[shuffled + other] = kept;
  }
}

/// Rows of one pass through the network.
struct Batch {
  /// Where they are listed in `orders`.
  order: u32,
  count: u32,
  rate: Rate,
}

/// How many batches of the epoch, or chunks of validation rows, the member has.
fn batch_count(member: Member) -> u32 {
  if (span.is_training == 1u) {
    return (member.training_rows + member.batch_size - 1u) / member.batch_size;
  }
  return (member.validation_rows + shape.capacity - 1u) / shape.capacity;
}

fn batch_at(member: Member, b: u32) -> Batch {
  if (span.is_training == 1u) {
    let start = b * member.batch_size;
    let step_rate = rates[member.rates + span.ahead * batch_count(member) + b];
    let rate = Rate(step_rate.rate, member.penalty, step_rate.kept);
    let order = member.order + member.training_rows + member.validation_rows + start;
    return Batch(order, min(member.batch_size, member.training_rows - start), rate);
  }
  let start = b * shape.capacity;
  let order = member.order + member.training_rows + start;
  return Batch(order, min(shape.capacity, member.validation_rows - start), Rate());
}

/// Phases of minibatches span.start … span.end of the epoch, or of such chunks of the validation rows, as far as the member has them.
/// Workgroups (x, m): when there are several x, the span holds one phase of one batch, and x shares its tiles.
@compute @workgroup_size(128)
fn run(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let m = group.y;
  if (rests(m, thread)) {
    return;
  }
  let member = members[m];
  let arena = m * shape.arena_stride;
  let scratch_start = m * shape.scratch_stride;
  let is_training = span.is_training == 1u;
  let end = min(span.end, batch_count(member));
  var sum = 0.0;
  for (var b = span.start; b < end; b++) {
    let batch = batch_at(member, b);
    for (var p = span.first_phase; p < span.end_phase; p++) {
      let phase = phase_at(p);
      storageBarrier();
      if (phase.kind == GATHER) {
        gather(member, batch.order, scratch_start, batch.count, thread);
      } else if (phase.kind == ERRORS) {
        sum += squared_errors(member, batch.order, scratch_start, batch.count, 1.0 / f32(batch.count), thread);
      } else {
        run_product(phase, arena, scratch_start, batch.count, batch.rate, group.x, groups.x, thread);
      }
    }
  }
  let total = sum_over_workgroup(sum, thread);
  if (thread == 0u && group.x == 0u) {
    if (is_training) {
      progress[m].training_sum += total;
    } else {
      progress[m].validation_sum += total;
    }
  }
}

/// Looks at the bits: a compiler may assume that no number is infinite.
fn is_number(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

/// The end of an epoch: its report, the best parameters, and whether the member is done.
@compute @workgroup_size(128)
fn conclude(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let m = group.y;
  if (rests(m, thread)) {
    return;
  }
  let member = members[m];
  let arena = m * shape.arena_stride;
  var wild = 0.0;
  for (var i = thread; i < shape.parameters; i += THREADS) {
    wild += select(1.0, 0.0, is_number(arenas[arena + i]));
  }
  let is_finite = sum_over_workgroup(wild, thread) == 0.0;
  let state = progress[m];
  let training_loss = 0.5 * state.training_sum / f32(member.training_rows);
  let validation_loss = 0.5 * state.validation_sum / f32(max(member.validation_rows, 1u));
  let watched = select(training_loss, validation_loss, member.validation_rows > 0u);
  let is_best = member.patience > 0u && (state.best_epoch == 0u || watched < state.best_loss);
  let epoch = state.epoch + 1u;
  storageBarrier();
  if (is_best) {
    for (var i = thread; i < shape.parameters; i += THREADS) {
      arenas[arena + 3u * shape.parameters + i] = arenas[arena + i];
    }
  }
  if (thread == 0u) {
    let best_epoch = select(state.best_epoch, epoch, is_best);
    let is_out_of_patience = member.patience > 0u && epoch - best_epoch >= member.patience;
    let is_over = epoch >= member.epochs || is_out_of_patience || !is_finite;
    reports[span.ahead * arrayLength(&members) + m] =
      Report(training_loss, validation_loss, u32(is_best), u32(is_finite && is_number(watched)));
    progress[m] =
      Progress(epoch, best_epoch, select(state.best_loss, watched, is_best), u32(is_over), 0.0, 0.0);
  }
}
