// One generation's learning (arXiv:1604.00772, equations 38–47), as in update.as.ts.

/// Keeps the best candidate; its value is kept by `conclude`, behind barriers.
fn keep_best(run: Run, lane: u32) {
  if (!(numbers[run.numbers + N_FIT_BEST] < numbers[run.numbers + N_BEST_FUN])) { return; }
  let row = run.scratch + X_X + candidate(run, 0u) * D;
  for (var i = lane; i < D; i += LANES) { numbers[run.numbers + N_BEST_X + i] = scratch[row + i]; }
}

/// ⟨y⟩w and ⟨z⟩w over the μ best, and the factors of the rank-μ update by place.
fn recombine(run: Run, lane: u32) {
  let p = run.parameters;
  let mu = setup[run.setup + U_MU];
  for (var i = lane; i < D; i += LANES) {
    var y = 0.0;
    var z = 0.0;
    for (var place = 0u; place < mu; place++) {
      let row = run.scratch + candidate(run, place) * D + i;
      let weight = parameters[p + P_WEIGHTS + place];
      y += weight * scratch[row + X_Y];
      z += weight * scratch[row + X_Z];
    }
    yw[i] = y;
    zw[i] = z;
  }
  for (var place = lane; place < run.lambda; place += LANES) {
    let weight = parameters[p + P_WEIGHTS + place];
    var factor = parameters[p + P_CMU] * weight;
    if (weight < 0.0) {
      let row = run.scratch + X_Z + candidate(run, place) * D;
      var squared = 0.0;
      for (var i = 0u; i < D; i++) { squared += scratch[row + i] * scratch[row + i]; }
      factor *= f32(D) / max(squared, 1e-18);
    }
    scratch[run.scratch + X_FACTORS + place] = factor;
  }
}

/// ‖p_σ‖²: every lane forms the same sum, which spares a barrier.
fn path_squared() -> f32 {
  var squared = 0.0;
  for (var i = 0u; i < D; i++) { squared += ps[i] * ps[i]; }
  return squared;
}

fn move_covariance(run: Run, hsig: f32, lane: u32) {
  let p = run.parameters;
  let cc = parameters[p + P_CC];
  let c1 = parameters[p + P_C1];
  let c1a = c1 * (1.0 - (1.0 - hsig) * cc * (2.0 - cc));
  let decay = 1.0 - c1a - parameters[p + P_CMU] * parameters[p + P_WEIGHT_SUM];
  for (var t = lane; t < MATRIX; t += LANES) {
    let i = t / D;
    let j = t % D;
    if (j > i) { continue; }
    let at = run.numbers + N_COVARIANCE + t;
    var sum = decay * numbers[at] + c1 * pc[i] * pc[j];
    for (var place = 0u; place < run.lambda; place++) {
      let row = run.scratch + X_Y + candidate(run, place) * D;
      sum += scratch[run.scratch + X_FACTORS + place] * scratch[row + i] * scratch[row + j];
    }
    numbers[at] = sum;
  }
}

/// Variance of coordinate i in C.
fn variance(run: Run, i: u32) -> f32 {
  return numbers[run.numbers + N_COVARIANCE + i * (D + 1u)];
}

fn learn(run: Run, lane: u32) {
  let p = run.parameters;
  let cs = parameters[p + P_CS];
  let cc = parameters[p + P_CC];
  let mueff = parameters[p + P_MUEFF];
  recombine(run, lane);
  workgroupBarrier();
  for (var i = lane; i < D; i += LANES) {
    mean[i] += sigma * scale[i] * yw[i];
    var drift = 0.0;
    for (var j = 0u; j < D; j++) { drift += vectors[j * D + i] * zw[j]; }
    ps[i] = (1.0 - cs) * ps[i] + sqrt(cs * (2.0 - cs) * mueff) * drift;
  }
  workgroupBarrier();
  let squared = path_squared();
  let decay = cs_decay * (1.0 - cs) * (1.0 - cs);
  let n = f32(D);
  let hsig = select(0.0, 1.0, squared / (1.0 - decay) / n - 1.0 < 1.0 + 4.0 / (n + 1.0));
  let pull = hsig * sqrt(cc * (2.0 - cc) * mueff);
  for (var i = lane; i < D; i += LANES) { pc[i] = (1.0 - cc) * pc[i] + pull * yw[i]; }
  storageBarrier();
  workgroupBarrier();
  move_covariance(run, hsig, lane);
  storageBarrier();
  workgroupBarrier();
  let change = (cs / parameters[p + P_DAMPS]) * (sqrt(squared) / parameters[p + P_CHI_N] - 1.0);
  let step_size = sigma * exp(clamp(change, -1.0, 1.0));
  for (var i = lane; i < D; i += LANES) {
    let deviation = step_size * scale[i] * sqrt(variance(run, i));
    let least = parameters[p + P_MIN_STD + i];
    let most = parameters[p + P_MAX_STD + i];
    if (deviation < least && deviation > 0.0) { scale[i] *= least / deviation; } else if (deviation > most) { scale[i] *= most / deviation; }
  }
  workgroupBarrier();
  if (lane == 0u) {
    sigma = step_size;
    cs_decay = decay;
  }
  workgroupBarrier();
}
