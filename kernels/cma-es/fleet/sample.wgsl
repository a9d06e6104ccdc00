// The population of a generation: z of N(0, I), y = B·D·z, x = m + σ·s∘y within the bounds.

/// Normal numbers from the run's stream: the same words as Rng.normal, two of them for each.
fn draw(run: Run, lane: u32) {
  let total = run.lambda * D;
  let low = counters[run.counters + C_POSITION];
  let high = counters[run.counters + C_POSITION_HIGH];
  let odd = (low & 3u) >> 1u;
  let key = vec2(setup[run.setup + U_SEED], setup[run.setup + U_SEED_HIGH]);
  let stream = vec2(setup[run.setup + U_STREAM], setup[run.setup + U_STREAM_HIGH]);
  let first = (low >> 2u) | (high << 30u);
  let blocks = (total + odd + 1u) / 2u;
  for (var b = lane; b < blocks; b += LANES) {
    let index = first + b;
    let carry = select(0u, 1u, index < first);
    let words = philox4x32(vec4(index, (high >> 2u) + carry, stream), key);
    let k = 2u * b;
    if (k >= odd) { scratch[run.scratch + X_Z + k - odd] = normal(words.x, words.y); }
    if (k + 1u - odd < total) { scratch[run.scratch + X_Z + k + 1u - odd] = normal(words.z, words.w); }
  }
}

/// As `bend` in bounds.as.ts; open sides are BIG.
fn bend(value: f32, lower: f32, upper: f32, lower_margin: f32, upper_margin: f32) -> f32 {
  var y = value;
  if (lower > -BIG && upper < BIG) {
    let half = 0.5 * (upper - lower);
    let start = lower - 2.0 * lower_margin - half;
    if (y < start || y > upper + 2.0 * upper_margin + half) {
      let period = 2.0 * (upper - lower + lower_margin + upper_margin);
      y -= period * floor((y - start) / period);
    }
  }
  if (upper < BIG && y > upper + upper_margin) { y -= 2.0 * (y - upper - upper_margin); }
  if (lower > -BIG && y < lower - lower_margin) { y += 2.0 * (lower - lower_margin - y); }
  if (lower > -BIG && y < lower + lower_margin) {
    let reach = y - (lower - lower_margin);
    y = lower + (reach * reach) / (4.0 * lower_margin);
  }
  if (upper < BIG && y > upper - upper_margin) {
    let reach = y - (upper + upper_margin);
    y = upper - (reach * reach) / (4.0 * upper_margin);
  }
  return min(max(y, lower), upper);
}

fn place(run: Run, lane: u32) {
  let p = run.parameters;
  for (var t = lane; t < run.lambda * D; t += LANES) {
    let i = t % D;
    let row = run.scratch + X_Z + t - i;
    var y = 0.0;
    for (var j = 0u; j < D; j++) { y += vectors[j * D + i] * (axes[j] * scratch[row + j]); }
    scratch[run.scratch + X_Y + t] = y;
    var x = mean[i] + sigma * scale[i] * y;
    if (setup[run.setup + U_BOUNDED] == 1u) {
      let lower = parameters[p + P_LOWER + i];
      let upper = parameters[p + P_UPPER + i];
      x = bend(x, lower, upper, parameters[p + P_LOWER_MARGIN + i], parameters[p + P_UPPER_MARGIN + i]);
    }
    scratch[run.scratch + X_X + t] = x;
  }
}

/// Ranks by value, ties by index; what is no number has the value BIG and so ranks last.
fn rank(run: Run, lane: u32) {
  let values = run.scratch + X_VALUES;
  for (var k = lane; k < run.lambda; k += LANES) {
    let own = scratch[values + k];
    var before = 0u;
    for (var other = 0u; other < run.lambda; other++) {
      let value = scratch[values + other];
      if (value < own || (value == own && other < k)) { before++; }
    }
    scratch[run.scratch + X_ORDER + before] = f32(k);
  }
}

/// Index of the candidate at a place of the ranking.
fn candidate(run: Run, place: u32) -> u32 {
  return u32(scratch[run.scratch + X_ORDER + place]);
}

/// What cannot be compared becomes BIG; with bits, because shaders may assume that there are no NaNs.
fn comparable(value: f32) -> f32 {
  if ((bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u) { return BIG; }
  return value;
}
