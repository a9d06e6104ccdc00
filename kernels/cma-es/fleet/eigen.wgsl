// B and D from C by Jacobi rotations in parallel order (Golub and Van Loan, Matrix Computations, section 8.5): the rotations of
// one round turn disjoint pairs of coordinates, and in D − 1 rounds each coordinate has met every other.

/// Coordinates rounded up to even: when D is odd, one of each round's pairs has no partner.
override EVEN: u32 = D + (D & 1u);
override PAIRS: u32 = EVEN / 2u;
const SWEEPS: u32 = 12u;
/// An entry below this share of what belongs to its diagonal entries is zero: some units in the last place of f32.
const NEGLIGIBLE: f32 = 0x1p-20f;

var<workgroup> matrix: array<f32, MATRIX>;
var<workgroup> cosines: array<f32, PAIRS>;
var<workgroup> sines: array<f32, PAIRS>;
/// Whether an entry is left that is not negligible.
var<workgroup> remaining: atomic<u32>;

/// The pair's smaller and larger coordinate, by the circle method; the larger one may be D, which does not exist.
fn pair(round: u32, index: u32) -> vec2<u32> {
  let circle = EVEN - 1u;
  var a = circle;
  var b = round;
  if (index > 0u) {
    a = (round + index) % circle;
    b = (round + circle - index) % circle;
  }
  return vec2(min(a, b), max(a, b));
}

fn is_negligible(p: u32, q: u32) -> bool {
  let size = abs(matrix[p * D + q]);
  return size <= NEGLIGIBLE * sqrt(abs(matrix[p * D + p])) * sqrt(abs(matrix[q * D + q])) || size < 1e-36;
}

/// Cosine and sine that make entry (p, q) zero.
fn rotation(p: u32, q: u32) -> vec2<f32> {
  if (is_negligible(p, q)) { return vec2(1.0, 0.0); }
  let tau = (matrix[q * D + q] - matrix[p * D + p]) / (2.0 * matrix[p * D + q]);
  let t = select(-1.0, 1.0, tau >= 0.0) / (abs(tau) + sqrt(1.0 + min(tau * tau, 1e30)));
  let c = inverseSqrt(1.0 + t * t);
  return vec2(c, t * c);
}

fn plan_round(round: u32, lane: u32) {
  for (var m = lane; m < PAIRS; m += LANES) {
    let pq = pair(round, m);
    var turn = vec2(1.0, 0.0);
    if (pq.y < D) { turn = rotation(pq.x, pq.y); }
    cosines[m] = turn.x;
    sines[m] = turn.y;
  }
}

/// Turns the 2×2 block where the rows of pair m meet the columns of pair l. Blocks are disjoint.
fn turn_block(round: u32, m: u32, l: u32) {
  let rows = pair(round, m);
  let columns = pair(round, l);
  let two_rows = rows.y < D;
  let two_columns = columns.y < D;
  let cr = cosines[m];
  let sr = sines[m];
  let cc = cosines[l];
  let sc = sines[l];
  var a = matrix[rows.x * D + columns.x];
  var b = 0.0;
  var c = 0.0;
  var d = 0.0;
  if (two_columns) { b = matrix[rows.x * D + columns.y]; }
  if (two_rows) { c = matrix[rows.y * D + columns.x]; }
  if (two_rows && two_columns) { d = matrix[rows.y * D + columns.y]; }
  let top = vec2(cr * a - sr * c, cr * b - sr * d);
  let bottom = vec2(sr * a + cr * c, sr * b + cr * d);
  a = cc * top.x - sc * top.y;
  b = sc * top.x + cc * top.y;
  c = cc * bottom.x - sc * bottom.y;
  d = sc * bottom.x + cc * bottom.y;
  if (m == l) {
    if (sr != 0.0) { b = 0.0; }
    c = b;
  }
  matrix[rows.x * D + columns.x] = a;
  if (two_columns) { matrix[rows.x * D + columns.y] = b; }
  if (two_rows) { matrix[rows.y * D + columns.x] = c; }
  if (two_rows && two_columns) { matrix[rows.y * D + columns.y] = d; }
}

fn turn_round(round: u32, lane: u32) {
  for (var t = lane; t < PAIRS * PAIRS; t += LANES) { turn_block(round, t / PAIRS, t % PAIRS); }
  for (var t = lane; t < PAIRS * D; t += LANES) {
    let m = t / D;
    let i = t % D;
    let pq = pair(round, m);
    if (pq.y >= D) { continue; }
    let x = vectors[pq.x * D + i];
    let y = vectors[pq.y * D + i];
    vectors[pq.x * D + i] = cosines[m] * x - sines[m] * y;
    vectors[pq.y * D + i] = sines[m] * x + cosines[m] * y;
  }
}

fn diagonalise(lane: u32) {
  for (var sweep = 0u; sweep < SWEEPS; sweep++) {
    if (lane == 0u) { atomicStore(&remaining, 0u); }
    workgroupBarrier();
    for (var t = lane; t < MATRIX; t += LANES) {
      if (t / D < t % D && !is_negligible(t / D, t % D)) { atomicStore(&remaining, 1u); }
    }
    workgroupBarrier();
    if (lane == 0u) { flag = atomicLoad(&remaining); }
    if (workgroupUniformLoad(&flag) == 0u) { break; }
    for (var round = 0u; round < EVEN - 1u; round++) {
      plan_round(round, lane);
      workgroupBarrier();
      turn_round(round, lane);
      workgroupBarrier();
    }
  }
}

/// Whether the axes are to be computed anew; moves variances that differ too much out of C first. Lane 0 only.
fn eigen_due(run: Run) -> bool {
  let evaluations = counters[run.counters + C_EVALUATIONS] + run.lambda;
  let waited = f32(evaluations - counters[run.counters + C_EIGEN_AT]);
  return alleviate(run) || waited > parameters[run.parameters + P_EIGEN_GAP];
}

/// When coordinates differ too much in variance, C becomes their correlation matrix and `scale` takes the rest.
fn alleviate(run: Run) -> bool {
  var least = variance(run, 0u);
  var most = least;
  for (var i = 1u; i < D; i++) {
    least = min(least, variance(run, i));
    most = max(most, variance(run, i));
  }
  if (!(most >= parameters[run.parameters + P_ALLEVIATE] * least) || !(most < BIG) || least <= 0.0) { return false; }
  for (var i = 0u; i < D; i++) { zw[i] = sqrt(variance(run, i)); }
  for (var i = 0u; i < D; i++) {
    for (var j = 0u; j < i; j++) { numbers[run.numbers + N_COVARIANCE + i * D + j] /= zw[i] * zw[j]; }
    numbers[run.numbers + N_COVARIANCE + i * (D + 1u)] = 1.0;
    scale[i] *= zw[i];
    pc[i] /= zw[i];
  }
  return true;
}

/// C in the coordinates of the last axes: nearly diagonal, so that few sweeps are left.
fn turn_covariance(run: Run, lane: u32) {
  let product = run.scratch + X_PRODUCT;
  for (var t = lane; t < MATRIX; t += LANES) {
    let i = t / D;
    let axis = (t % D) * D;
    var sum = 0.0;
    for (var j = 0u; j < D; j++) {
      sum += numbers[run.numbers + N_COVARIANCE + max(i, j) * D + min(i, j)] * vectors[axis + j];
    }
    scratch[product + t] = sum;
  }
  storageBarrier();
  for (var t = lane; t < MATRIX; t += LANES) {
    let axis = (t / D) * D;
    let column = t % D;
    if (column * D > axis) { continue; }
    var sum = 0.0;
    for (var i = 0u; i < D; i++) { sum += vectors[axis + i] * scratch[product + i * D + column]; }
    matrix[t] = sum;
    matrix[column * D + t / D] = sum;
  }
  workgroupBarrier();
}

/// Eigenvalues below FLOOR of the largest are rounding: C gets a multiple of I added that lifts the least one to it, which leaves
/// the eigenvectors as they are. A matrix that has overflowed starts anew as I.
fn refresh_axes(run: Run, lane: u32) {
  storageBarrier();
  turn_covariance(run, lane);
  diagonalise(lane);
  var least = matrix[0];
  var most = matrix[0];
  for (var i = 1u; i < D; i++) {
    least = min(least, matrix[i * (D + 1u)]);
    most = max(most, matrix[i * (D + 1u)]);
  }
  let broken = comparable(least) == BIG || comparable(most) == BIG || most <= 0.0;
  let lift = max(0.0, FLOOR * most - least);
  for (var t = lane; t < MATRIX; t += LANES) {
    let on_diagonal = t / D == t % D;
    if (broken) {
      numbers[run.numbers + N_COVARIANCE + t] = select(0.0, 1.0, on_diagonal);
      vectors[t] = select(0.0, 1.0, on_diagonal);
    } else if (on_diagonal) {
      numbers[run.numbers + N_COVARIANCE + t] += lift;
    }
  }
  for (var i = lane; i < D; i += LANES) { axes[i] = select(sqrt(matrix[i * (D + 1u)] + lift), 1.0, broken); }
  if (lane == 0u) { counters[run.counters + C_EIGEN_AT] = counters[run.counters + C_EVALUATIONS] + run.lambda; }
  storageBarrier();
  workgroupBarrier();
}
