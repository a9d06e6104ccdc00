// Values of candidates by an acquisition over an ensemble's predictions, as in kernels/acquisition; its negative is minimised.

const LOG_SQRT_2PI: f32 = 0.918938533;
/// Below it the continued fraction is as good as f32, and φ(z) + z·Φ(z) is not.
const TAIL_FROM: f32 = -1.5;
const FRACTION_TERMS: u32 = 64u;

/// erfc(x) for x ≥ 0 within 1.2e-7 of its value (Press et al., Numerical Recipes in C, section 6.2).
fn erfc(x: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.5 * x);
  let tail = ((((0.17087277 * t - 0.82215223) * t + 1.48851587) * t - 1.13520398) * t + 0.27886807) * t;
  let sum = ((((tail - 0.18628806) * t + 0.09678418) * t + 0.37409196) * t + 1.00002368) * t - 1.26551223;
  return t * exp(sum - x * x);
}

fn normal_cdf(z: f32) -> f32 {
  let upper = 0.5 * erfc(abs(z) * 0.70710678);
  return select(upper, 1.0 - upper, z > 0.0);
}

/// t + 2/(t + 3/(t + …)), of Mills' ratio's continued fraction (Abramowitz and Stegun 26.2.14).
fn tail_fraction(t: f32) -> f32 {
  var fraction = t;
  for (var n = FRACTION_TERMS; n > 1u; n--) { fraction = t + f32(n) / fraction; }
  return fraction;
}

/// log(φ(z) + z·Φ(z)); see improvement.ts.
fn log_expected_improvement(z: f32) -> f32 {
  if (z > TAIL_FROM) { return log(exp(-0.5 * z * z - LOG_SQRT_2PI) + z * normal_cdf(z)); }
  let t = -z;
  return -0.5 * t * t - LOG_SQRT_2PI - log(t * tail_fraction(t) + 1.0);
}

fn log_normal_cdf(z: f32) -> f32 {
  if (z > 3.0) {
    let upper = 0.5 * erfc(z * 0.70710678);
    return -upper * (1.0 + 0.5 * upper);
  }
  if (z > TAIL_FROM) { return log(normal_cdf(z)); }
  let t = -z;
  return -0.5 * t * t - LOG_SQRT_2PI - log(t + 1.0 / tail_fraction(t));
}

/// Greater is better.
fn score(run: Run, kind: u32, mean: f32, deviation: f32) -> f32 {
  let p = run.parameters;
  let signed = parameters[p + P_SIGN] * mean;
  if (kind == ACQUISITION_UCB) { return signed + parameters[p + P_KAPPA] * deviation; }
  if (kind == ACQUISITION_MEAN) { return signed; }
  let width = max(deviation, parameters[p + P_STD_FLOOR]);
  let z = clamp((signed - parameters[p + P_BEST] - parameters[p + P_XI]) / width, -1e15, 1e15);
  if (kind == ACQUISITION_PI) { return log_normal_cdf(z); }
  return log_expected_improvement(z) + log(width);
}

/// One candidate a lane: mean and population standard deviation over members, or the word of one member alone.
fn rate(run: Run, ensemble: u32, lane: u32) {
  let kind = setup[run.setup + U_FUNCTION];
  let members = setup[ensemble];
  for (var k = lane; k < run.lambda; k += LANES) {
    let first = run.scratch + X_PREDICTIONS + k;
    var average = 0.0;
    for (var m = 0u; m < members; m++) { average += scratch[first + m * LAMBDA]; }
    average /= f32(members);
    var squares = 0.0;
    for (var m = 0u; m < members; m++) { squares += square(scratch[first + m * LAMBDA] - average); }
    if (setup[run.setup + U_MEMBER] < members) { average = scratch[first + setup[run.setup + U_MEMBER] * LAMBDA]; }
    let value = -score(run, kind, average, sqrt(squares / f32(members)));
    scratch[run.scratch + X_VALUES + k] = comparable(value);
  }
}
