// What a generation looked like, and pycma's termination conditions, as in termination.ts. All of it is lane 0's.

/// Value at a place of the ranking.
fn ranked(run: Run, place: u32) -> f32 {
  return scratch[run.scratch + X_VALUES + candidate(run, place)];
}

/// Gives whether there is anything to learn from: a value that is a number.
fn describe_values(run: Run) -> bool {
  let n = run.lambda;
  let at = run.numbers;
  numbers[at + N_FIT_BEST] = ranked(run, 0u);
  numbers[at + N_FIT_WORST] = ranked(run, n - 1u);
  numbers[at + N_FIT_UPPER] = ranked(run, (3u * n) / 4u);
  let upper = ranked(run, n / 2u);
  numbers[at + N_FIT_MEDIAN] = select(0.5 * ranked(run, n / 2u - 1u) + 0.5 * upper, upper, (n & 1u) == 1u);
  return numbers[at + N_FIT_BEST] < BIG;
}

/// Takes the generation into the counters and gives the reasons to stop, one a bit.
fn conclude(run: Run, generation: u32, taught: bool) -> u32 {
  let at = run.numbers;
  let count = run.counters;
  let words = 2u * run.lambda * D;
  let position = counters[count + C_POSITION] + words;
  if (position < words) { counters[count + C_POSITION_HIGH]++; }
  counters[count + C_POSITION] = position;
  counters[count + C_ITERATIONS]++;
  counters[count + C_EVALUATIONS] += run.lambda;
  numbers[at + N_HISTORY + 2u * generation] = numbers[at + N_FIT_BEST];
  numbers[at + N_HISTORY + 2u * generation + 1u] = numbers[at + N_FIT_MEDIAN];
  if (taught && numbers[at + N_FIT_BEST] < numbers[at + N_BEST_FUN]) {
    numbers[at + N_BEST_FUN] = numbers[at + N_FIT_BEST];
    counters[count + C_BEST_AT] = counters[count + C_EVALUATIONS] - run.lambda + candidate(run, 0u) + 1u;
  }
  var reasons = budgets(run);
  if (taught) {
    counters[count + C_ALL_NAN] = 0u;
    reasons |= values_reasons(run) | stagnation(run) | spread_reasons(run);
  } else {
    counters[count + C_ALL_NAN]++;
    if (counters[count + C_ALL_NAN] >= ALL_NAN_ITERATIONS) { reasons |= R_ALLNAN; }
  }
  counters[count + C_REASONS] = reasons;
  return reasons;
}

fn budgets(run: Run) -> u32 {
  var reasons = 0u;
  let evaluations = counters[run.counters + C_EVALUATIONS];
  if (numbers[run.numbers + N_BEST_FUN] <= parameters[run.parameters + P_FTARGET]) { reasons |= R_FTARGET; }
  if (evaluations + run.lambda > setup[run.setup + U_MAXFEVALS]) { reasons |= R_MAXFEVALS; }
  if (counters[run.counters + C_ITERATIONS] >= setup[run.setup + U_MAXITER]) { reasons |= R_MAXITER; }
  return reasons;
}

/// Remembers the best value and gives the range of those of late.
fn remember(run: Run) -> f32 {
  let ring = run.numbers + N_RECENT;
  let length = setup[run.setup + U_RECENT];
  let count = counters[run.counters + C_REMEMBERED];
  numbers[ring + count % length] = numbers[run.numbers + N_FIT_BEST];
  counters[run.counters + C_REMEMBERED] = count + 1u;
  var least = numbers[ring];
  var most = least;
  for (var i = 1u; i < min(count + 1u, length); i++) {
    least = min(least, numbers[ring + i]);
    most = max(most, numbers[ring + i]);
  }
  return most - least;
}

/// Ranges below what f32 can tell apart count as none: F_FLOOR of the value at most.
fn values_reasons(run: Run) -> u32 {
  let at = run.numbers;
  let p = run.parameters;
  let best = numbers[at + N_FIT_BEST];
  let median = numbers[at + N_FIT_MEDIAN];
  let historic = remember(run);
  let current = numbers[at + N_FIT_WORST] - best;
  let floor = F_FLOOR * abs(best);
  if (counters[run.counters + C_REMEMBERED] == 1u) { numbers[at + N_FIRST_MEDIAN] = median; }
  numbers[at + N_LEAST_MEDIAN] = min(numbers[at + N_LEAST_MEDIAN], median);
  let flat = select(counters[run.counters + C_FLAT] + 1u, 0u, best < numbers[at + N_FIT_UPPER]);
  counters[run.counters + C_FLAT] = flat;
  var reasons = 0u;
  let tolfun = max(parameters[p + P_TOLFUN], floor);
  if (current < tolfun && historic < tolfun) { reasons |= R_TOLFUN; }
  let fall = numbers[at + N_FIRST_MEDIAN] - numbers[at + N_LEAST_MEDIAN];
  if (current < parameters[p + P_TOLFUNREL] * fall) { reasons |= R_TOLFUNREL; }
  let full = counters[run.counters + C_REMEMBERED] > 9u;
  if (full && historic < max(parameters[p + P_TOLFUNHIST], F_HIST_FLOOR * abs(best))) { reasons |= R_TOLFUNHIST; }
  if (f32(flat) > parameters[p + P_TOLFLATFITNESS]) { reasons |= R_TOLFLATFITNESS; }
  return reasons;
}

/// Whether the mean has stayed where it was for too long.
fn stagnation(run: Run) -> u32 {
  let p = run.parameters;
  let anchor = run.numbers + N_ANCHOR;
  var squared = 0.0;
  for (var i = 0u; i < D; i++) {
    let moved = mean[i] - numbers[anchor + i];
    squared += moved * moved;
  }
  numbers[run.numbers + N_ANCHOR_DISTANCE] = sqrt(squared);
  let delta = parameters[p + P_XSTAGNATION];
  if (delta < 0.0) { return 0u; }
  let iterations = counters[run.counters + C_ITERATIONS];
  let patience = parameters[p + P_XSTAGNATION + 1u] + parameters[p + P_XSTAGNATION + 2u] * f32(iterations);
  let waited = f32(iterations - counters[run.counters + C_ANCHORED]);
  if (sqrt(squared) > delta * sqrt(max(1.0, waited / patience))) {
    for (var i = 0u; i < D; i++) { numbers[anchor + i] = mean[i]; }
    counters[run.counters + C_ANCHORED] = iterations;
    return 0u;
  }
  return select(0u, R_TOLXSTAGNATION, waited > patience);
}

fn spread_reasons(run: Run) -> u32 {
  let at = run.numbers;
  let p = run.parameters;
  let tolx = parameters[p + P_TOLX];
  var spread = vec4(0.0);
  var least = axes[0];
  var most = axes[0];
  var wide = false;
  var deaf = D;
  for (var i = 0u; i < D; i++) {
    let reach = sigma * scale[i];
    let deviation = reach * sqrt(variance(run, i));
    let path = abs(reach * pc[i]);
    let threshold = max(tolx, X_FLOOR * abs(mean[i]));
    if (deviation >= threshold || path >= threshold) { wide = true; }
    if (deaf == D && mean[i] == mean[i] + 0.2 * deviation) { deaf = i; }
    spread = max(spread, vec4(deviation, deviation / parameters[p + P_INITIAL_STD + i], path, 0.0));
    least = min(least, axes[i]);
    most = max(most, axes[i]);
  }
  let axis = counters[run.counters + C_ITERATIONS] % D;
  var still = true;
  for (var i = 0u; i < D; i++) {
    let moved = mean[i] + 0.1 * sigma * axes[axis] * scale[i] * vectors[axis * D + i];
    if (mean[i] != moved) { still = false; }
  }
  numbers[at + N_STD_MAX] = spread.x;
  numbers[at + N_GROWTH] = spread.y;
  numbers[at + N_PATH_MAX] = spread.z;
  numbers[at + N_AXIS_MIN] = least;
  numbers[at + N_AXIS_MAX] = most;
  counters[run.counters + C_DEAF_COORDINATE] = deaf;
  counters[run.counters + C_DEAF_AXIS] = select(D, axis, still);
  var reasons = 0u;
  if (spread.y > parameters[p + P_TOLFACUPX]) { reasons |= R_TOLFACUPX; }
  if (!wide) { reasons |= R_TOLX; }
  if (sigma / most > parameters[p + P_TOLUPSIGMA]) { reasons |= R_TOLUPSIGMA; }
  if (deaf < D) { reasons |= R_NOEFFECTCOORD; }
  if (still) { reasons |= R_NOEFFECTAXIS; }
  if (most > parameters[p + P_CONDITION_ROOT] * least) { reasons |= R_TOLCONDITIONCOV; }
  return reasons;
}
