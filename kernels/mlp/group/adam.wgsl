// Adam (Kingma & Ba 2015, algorithm 1) and AdamW (Loshchilov & Hutter 2019, algorithm 2), as adam.as.ts has them.

const BETA1 = 0.9;
const REST1 = 0.1;
const BETA2 = 0.999;
const REST2 = 0.001;
const EPSILON = 1e-8;
const FIRST_MOMENT_FLOOR = 1e-25;
const SECOND_MOMENT_FLOOR = 1e-36;

/// α with bias corrections, λ of the penalty, and the part of a weight that decoupled decay leaves.
struct Rate {
  rate: f32,
  penalty: f32,
  kept: f32,
}

/// One step of the parameter at `place`, down `slope`.
fn adam(place: u32, slope: f32, rate: Rate) {
  let first_at = place + shape.parameters;
  let second_at = first_at + shape.parameters;
  let weight = arenas[place];
  let gradient = slope + rate.penalty * weight;
  var first = BETA1 * arenas[first_at] + REST1 * gradient;
  var second = BETA2 * arenas[second_at] + REST2 * (gradient * gradient);
  first = select(first, 0.0, abs(first) < FIRST_MOMENT_FLOOR);
  second = select(second, 0.0, second < SECOND_MOMENT_FLOOR);
  arenas[first_at] = first;
  arenas[second_at] = second;
  arenas[place] = rate.kept * weight - rate.rate * first / (sqrt(second) + EPSILON);
}
