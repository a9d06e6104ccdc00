// A fleet of CMA-ES runs: one workgroup a run, some generations a dispatch. D, LAMBDA and the places of everything come from
// layout.ts, as constants before this text. Scalars that decide about barriers are read with workgroupUniformLoad or
// come from read-only memory, so that control flow is uniform.

// include: cma-es/fleet/layout.wgsl
// include: rng/philox.wgsl
// include: rng/normal.wgsl
// include: cma-es/fleet/sample.wgsl
// include: cma-es/fleet/functions.wgsl
// include: cma-es/fleet/ensemble.wgsl
// include: cma-es/fleet/acquisition.wgsl
// include: cma-es/fleet/update.wgsl
// include: cma-es/fleet/eigen.wgsl
// include: cma-es/fleet/stop.wgsl

struct Step {
  /// Generations of this dispatch.
  generations: u32,
  /// Generations that earlier dispatches of the same step have done.
  earlier: u32,
  /// Place in the list of running runs of this dispatch's first.
  first: u32,
  /// Where the description of the ensemble begins in setup.
  ensemble: u32,
  /// Where the runs begin in setup; before it stands the list of running runs.
  runs: u32,
}

@group(0) @binding(0) var<uniform> step: Step;
/// Numbers of each run that do not change.
@group(0) @binding(1) var<storage, read> parameters: array<f32>;
/// Integers that do not change, and the list of running runs.
@group(0) @binding(2) var<storage, read> setup: array<u32>;
@group(0) @binding(3) var<storage, read_write> counters: array<u32>;
@group(0) @binding(4) var<storage, read_write> numbers: array<f32>;
/// The population of each run, and what its evaluation needs.
@group(0) @binding(5) var<storage, read_write> scratch: array<f32>;
/// Scalings and weights of an ensemble.
@group(0) @binding(6) var<storage, read> network: array<f32>;

/// Where a run's records begin, and its population.
struct Run {
  parameters: u32,
  setup: u32,
  counters: u32,
  numbers: u32,
  scratch: u32,
  lambda: u32,
}

/// Eigenvectors, one a row; they stay here for a whole dispatch, like the vectors below.
var<workgroup> vectors: array<f32, MATRIX>;
var<workgroup> mean: array<f32, D>;
var<workgroup> pc: array<f32, D>;
var<workgroup> ps: array<f32, D>;
var<workgroup> scale: array<f32, D>;
var<workgroup> axes: array<f32, D>;
var<workgroup> yw: array<f32, D>;
var<workgroup> zw: array<f32, D>;
var<workgroup> sigma: f32;
var<workgroup> cs_decay: f32;
/// Whether lane 0 has found a reason to take a branch.
var<workgroup> flag: u32;

fn load_run(run: Run, lane: u32) {
  for (var i = lane; i < D; i += LANES) {
    mean[i] = numbers[run.numbers + N_MEAN + i];
    pc[i] = numbers[run.numbers + N_PC + i];
    ps[i] = numbers[run.numbers + N_PS + i];
    scale[i] = numbers[run.numbers + N_SCALE + i];
    axes[i] = numbers[run.numbers + N_AXES + i];
  }
  for (var t = lane; t < MATRIX; t += LANES) { vectors[t] = numbers[run.numbers + N_VECTORS + t]; }
  if (lane == 0u) {
    sigma = numbers[run.numbers + N_SIGMA];
    cs_decay = numbers[run.numbers + N_CS_DECAY];
  }
}

fn store_run(run: Run, lane: u32) {
  for (var i = lane; i < D; i += LANES) {
    numbers[run.numbers + N_MEAN + i] = mean[i];
    numbers[run.numbers + N_PC + i] = pc[i];
    numbers[run.numbers + N_PS + i] = ps[i];
    numbers[run.numbers + N_SCALE + i] = scale[i];
    numbers[run.numbers + N_AXES + i] = axes[i];
  }
  for (var t = lane; t < MATRIX; t += LANES) { numbers[run.numbers + N_VECTORS + t] = vectors[t]; }
  if (lane == 0u) {
    numbers[run.numbers + N_SIGMA] = sigma;
    numbers[run.numbers + N_CS_DECAY] = cs_decay;
  }
}

@compute @workgroup_size(LANES)
fn advance(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let index = setup[step.first + group.x];
  let at = step.runs + index * SETUP_STRIDE;
  let run = Run(
    index * PARAMETER_STRIDE,
    at,
    index * COUNTER_STRIDE,
    index * NUMBER_STRIDE,
    index * SCRATCH_STRIDE,
    setup[at + U_LAMBDA],
  );
  if (lane == 0u) { flag = counters[run.counters + C_REASONS]; }
  if (workgroupUniformLoad(&flag) != 0u) { return; }
  load_run(run, lane);
  for (var generation = 0u; generation < step.generations; generation++) {
    workgroupBarrier();
    draw(run, lane);
    storageBarrier();
    place(run, lane);
    storageBarrier();
    if (setup[at + U_OBJECTIVE] == OBJECTIVE_FUNCTION) {
      evaluate_function(run, setup[at + U_FUNCTION], lane);
    } else {
      evaluate_ensemble(run, step.ensemble, lane);
      rate(run, step.ensemble, lane);
    }
    storageBarrier();
    rank(run, lane);
    storageBarrier();
    if (lane == 0u) { flag = select(0u, 1u, describe_values(run)); }
    storageBarrier();
    let taught = workgroupUniformLoad(&flag) == 1u;
    if (taught) {
      keep_best(run, lane);
      learn(run, lane);
      if (lane == 0u) { flag = select(0u, 1u, eigen_due(run)); }
      if (workgroupUniformLoad(&flag) == 1u) { refresh_axes(run, lane); }
    }
    if (lane == 0u) { flag = conclude(run, step.earlier + generation, taught); }
    if (workgroupUniformLoad(&flag) != 0u) { break; }
  }
  workgroupBarrier();
  store_run(run, lane);
}
