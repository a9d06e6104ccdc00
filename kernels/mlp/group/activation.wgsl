// Activations g and their slopes g′ at z.

const RELU = 0u;
const TANH = 1u;
const GELU = 2u;

/// g(z) and g′(z).
struct Activated {
  value: f32,
  slope: f32,
}

/// From here on tanh x rounds to 1.
const TANH_ONE = 9.02;
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;

/// eˣ − 1 for 0 ≤ x ≤ 2·TANH_ONE, without cancellation near zero: 2ⁿ·(eʳ − 1) + (2ⁿ − 1), as activation.as.ts has it.
fn expm1_positive(x: f32) -> f32 {
  let n = round(x * 1.44269504);
  let r = (x - n * LN2_HIGH) - n * LN2_LOW;
  var sum = 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * r * r + r;
  let scale = exp2(n);
  return scale * sum + (scale - 1.0);
}

/// WGSL's own tanh may overflow for large arguments.
fn tanh_bounded(z: f32) -> f32 {
  let e = expm1_positive(2.0 * min(abs(z), TANH_ONE));
  let y = e / (e + 2.0);
  return select(y, -y, z < 0.0);
}

/// From here on e^(−z²/2) is taken for 0.
const GELU_FLAT = 9.5;
const SQRT_1_2 = 0.70710678;
const INVERSE_SQRT_2PI = 0.39894228;

/// Φ(z), absolute error below 2e-7, from bell = e^(−z²/2): Abramowitz & Stegun 1964, 7.1.26, as activation.as.ts has it.
fn normal_cdf(z: f32, bell: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.3275911 * (abs(z) * SQRT_1_2));
  var sum = 1.061405429;
  sum = sum * t - 1.453152027;
  sum = sum * t + 1.421413741;
  sum = sum * t - 0.284496736;
  sum = sum * t + 0.254829592;
  let tail = 0.5 * (sum * t) * bell;
  return select(1.0 - tail, tail, z < 0.0);
}

fn activate(activation: u32, z: f32) -> Activated {
  switch activation {
    case TANH: {
      let y = tanh_bounded(z);
      return Activated(y, 1.0 - y * y);
    }
    case GELU: {
      let flat = min(abs(z), GELU_FLAT);
      let bell = exp(-0.5 * flat * flat);
      let cdf = normal_cdf(z, bell);
      return Activated(z * cdf, cdf + z * (INVERSE_SQRT_2PI * bell));
    }
    default: {
      // Not max(z, 0): it may drop a NaN, which must not vanish before the loss shows it.
      return Activated(select(z, 0.0, z < 0.0), select(0.0, 1.0, z > 0.0));
    }
  }
}
