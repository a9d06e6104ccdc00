// The test functions of builtin.as.ts, written so that f32 keeps its digits near their minima: differences of nearly equal numbers
// (1 − cos, 1 − exp) are formed in one piece.

const PI: f32 = 3.14159265358979;

/// sin(πx), to about 1e-7; the built-in sin may be off by 5e-4.
fn sin_pi(x: f32) -> f32 {
  let nearest = round(x);
  let t = PI * (x - nearest);
  let s = t * t;
  let series = ((((-2.5052108e-8 * s + 2.7557319e-6) * s - 1.9841270e-4) * s + 8.3333333e-3) * s - 1.6666667e-1) * s;
  let odd = abs(nearest - 2.0 * floor(0.5 * nearest)) > 0.5;
  return select(1.0, -1.0, odd) * (t + t * series);
}

/// 1 − exp(−x) for x ≥ 0.
fn one_minus_exp(x: f32) -> f32 {
  if (x > 0.25) { return 1.0 - exp(-x); }
  return x * (1.0 - x * (0.5 - x * (1.6666667e-1 - x * (4.1666667e-2 - x * (8.3333333e-3 - x * 1.3888889e-3)))));
}

fn square(x: f32) -> f32 { return x * x; }

fn sphere_at(x: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < D; i++) { sum += square(scratch[x + i]); }
  return sum;
}

fn ellipsoid_at(x: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < D; i++) {
    // log₂ 1e6
    sum += exp2(19.931569 * f32(i) / f32(max(D, 2u) - 1u)) * square(scratch[x + i]);
  }
  return sum;
}

fn rosenbrock_at(x: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i + 1u < D; i++) {
    sum += 100.0 * square(scratch[x + i + 1u] - square(scratch[x + i])) + square(1.0 - scratch[x + i]);
  }
  return sum;
}

fn rastrigin_at(x: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < D; i++) { sum += square(scratch[x + i]) + 20.0 * square(sin_pi(scratch[x + i])); }
  return sum;
}

fn ackley_at(x: u32) -> f32 {
  var lost = 0.0;
  for (var i = 0u; i < D; i++) { lost += 2.0 * square(sin_pi(scratch[x + i])); }
  let distance = 0.2 * sqrt(sphere_at(x) / f32(D));
  return 20.0 * one_minus_exp(distance) + 2.71828183 * one_minus_exp(lost / f32(D));
}

fn griewank_at(x: u32) -> f32 {
  // 1 − Π(1 − lossᵢ)
  var missing = 0.0;
  for (var i = 0u; i < D; i++) {
    let loss = 2.0 * square(sin_pi(scratch[x + i] / (2.0 * PI * sqrt(f32(i + 1u)))));
    missing += loss * (1.0 - missing);
  }
  return sphere_at(x) / 4000.0 + missing;
}

fn levy_at(x: u32) -> f32 {
  var sum = square(sin_pi(0.25 * (scratch[x] - 1.0)));
  for (var i = 0u; i < D; i++) {
    let w = 0.25 * (scratch[x + i] - 1.0);
    let last = i == D - 1u;
    let wave = sin_pi(select(w + 1.0 / PI, 2.0 * w, last));
    sum += w * w * (1.0 + select(10.0, 1.0, last) * wave * wave);
  }
  return sum;
}

fn branin_at(x: u32) -> f32 {
  let t = scratch[x];
  let bend = scratch[x + 1u] - (5.1 / (4.0 * PI * PI)) * t * t + (5.0 / PI) * t - 6.0;
  return bend * bend + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * sin_pi(t / PI + 0.5) + 10.0;
}

const HEIGHTS = array(1.0, 1.2, 3.0, 3.2);
const NARROW_3 = array(3.0, 10.0, 30.0, 0.1, 10.0, 35.0, 3.0, 10.0, 30.0, 0.1, 10.0, 35.0);
const PLACES_3 = array(
  0.3689, 0.117, 0.2673, 0.4699, 0.4387, 0.747, 0.1091, 0.8732, 0.5547, 0.0381, 0.5743, 0.8828,
);
const NARROW_6 = array(
  10.0, 3.0, 17.0, 3.5, 1.7, 8.0, 0.05, 10.0, 17.0, 0.1, 8.0, 14.0, 3.0, 3.5, 1.7, 10.0, 17.0, 8.0, 17.0, 8.0, 0.05,
  10.0, 0.1, 14.0,
);
const PLACES_6 = array(
  0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886, 0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991, 0.2348, 0.1451,
  0.3522, 0.2883, 0.3047, 0.665, 0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381,
);

fn hartmann3_at(x: u32) -> f32 {
  var narrow = NARROW_3;
  var places = PLACES_3;
  var heights = HEIGHTS;
  var sum = 0.0;
  for (var i = 0u; i < 4u; i++) {
    var distance = 0.0;
    for (var j = 0u; j < 3u; j++) { distance += narrow[i * 3u + j] * square(scratch[x + j] - places[i * 3u + j]); }
    sum -= heights[i] * exp(-distance);
  }
  return sum;
}

fn hartmann6_at(x: u32) -> f32 {
  var narrow = NARROW_6;
  var places = PLACES_6;
  var heights = HEIGHTS;
  var sum = 0.0;
  for (var i = 0u; i < 4u; i++) {
    var distance = 0.0;
    for (var j = 0u; j < 6u; j++) { distance += narrow[i * 6u + j] * square(scratch[x + j] - places[i * 6u + j]); }
    sum -= heights[i] * exp(-distance);
  }
  return sum;
}

/// Numbered as BUILTIN_NAMES in kernels/bbob/contract.ts.
fn function_at(function: u32, x: u32) -> f32 {
  switch (function) {
    case 0u: { return sphere_at(x); }
    case 1u: { return ellipsoid_at(x); }
    case 2u: { return rosenbrock_at(x); }
    case 3u: { return rastrigin_at(x); }
    case 4u: { return ackley_at(x); }
    case 5u: { return griewank_at(x); }
    case 6u: { return levy_at(x); }
    case 7u: { return branin_at(x); }
    case 8u: { return hartmann3_at(x); }
    default: { return hartmann6_at(x); }
  }
}

/// One candidate a lane.
fn evaluate_function(run: Run, function: u32, lane: u32) {
  for (var k = lane; k < run.lambda; k += LANES) {
    scratch[run.scratch + X_VALUES + k] = comparable(function_at(function, run.scratch + X_X + k * D));
  }
}
