// Predictions of an ensemble of multi-layer perceptrons for a population. Each layer is spread over the lanes by candidate and
// unit; neighbouring lanes read neighbouring weights.

/// Numbers of ACTIVATION_CODES in ensemble.ts.
const ACTIVATION_RELU: u32 = 0u;
const ACTIVATION_TANH: u32 = 1u;
const ACTIVATION_GELU: u32 = 2u;
/// Of the output layer.
const ACTIVATION_NONE: u32 = 3u;
/// Standardised inputs are held within these bounds, as in predict.as.ts.
const INPUT_LIMIT: f32 = 1e6;

fn hyperbolic_tangent(x: f32) -> f32 {
  if (abs(x) < 0.1) {
    let s = x * x;
    return x * (1.0 - s * (3.3333333e-1 - s * (1.3333333e-1 - s * 5.3968254e-2)));
  }
  let decay = exp(-2.0 * min(abs(x), 20.0));
  return sign(x) * (1.0 - decay) / (1.0 + decay);
}

fn activate(activation: u32, x: f32) -> f32 {
  switch (activation) {
    case ACTIVATION_RELU: { return max(x, 0.0); }
    case ACTIVATION_TANH: { return hyperbolic_tangent(x); }
    case ACTIVATION_GELU: { return x * normal_cdf(x); }
    default: { return x; }
  }
}

/// x standardised by a member's means and scales, to the first layer's inputs.
fn standardise(run: Run, scaling: u32, lane: u32) {
  for (var t = lane; t < run.lambda * D; t += LANES) {
    let i = t % D;
    let z = (scratch[run.scratch + X_X + t] - network[scaling + i]) / network[scaling + D + i];
    scratch[run.scratch + X_LAYERS + (t / D) * WIDTH + i] = clamp(z, -INPUT_LIMIT, INPUT_LIMIT);
  }
}

/// W is inputs×outputs, row-major, then b.
fn propagate(run: Run, layer: vec3<u32>, from_half: u32, activation: u32, lane: u32) {
  let inputs = layer.x;
  let outputs = layer.y;
  let weights = layer.z;
  let half = LAMBDA * WIDTH;
  let source = run.scratch + X_LAYERS + from_half * half;
  let target_row = run.scratch + X_LAYERS + (1u - from_half) * half;
  for (var t = lane; t < run.lambda * outputs; t += LANES) {
    let k = t / outputs;
    let unit = t % outputs;
    var sum = network[weights + inputs * outputs + unit];
    for (var j = 0u; j < inputs; j++) {
      sum += scratch[source + k * WIDTH + j] * network[weights + j * outputs + unit];
    }
    scratch[target_row + k * WIDTH + unit] = activate(activation, sum);
  }
}

/// Predictions by member and candidate, in original units. At `ensemble` in setup: the number of members, then for each one
/// activation, layers, place of its scaling, and for each layer inputs, outputs, place of its weights. A scaling is D means, D
/// scales, then mean and scale of the output.
fn evaluate_ensemble(run: Run, ensemble: u32, lane: u32) {
  var at = ensemble + 1u;
  for (var member = 0u; member < setup[ensemble]; member++) {
    let activation = setup[at];
    let layers = setup[at + 1u];
    let scaling = setup[at + 2u];
    at += 3u;
    standardise(run, scaling, lane);
    storageBarrier();
    for (var l = 0u; l < layers; l++) {
      let layer = vec3(setup[at], setup[at + 1u], setup[at + 2u]);
      at += 3u;
      propagate(run, layer, l % 2u, select(activation, ACTIVATION_NONE, l + 1u == layers), lane);
      storageBarrier();
    }
    let out = run.scratch + X_LAYERS + (layers % 2u) * LAMBDA * WIDTH;
    for (var k = lane; k < run.lambda; k += LANES) {
      let prediction = network[scaling + 2u * D] + network[scaling + 2u * D + 1u] * scratch[out + k * WIDTH];
      scratch[run.scratch + X_PREDICTIONS + member * LAMBDA + k] = prediction;
    }
    storageBarrier();
  }
}
