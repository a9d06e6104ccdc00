/**
 * Where a run keeps its numbers. One block: this record, then the arrays. The doubles come first, in the order of
 * SCALARS in layout.ts, so that TypeScript sees them as one Float64Array.
 *
 * d dimension, λ candidates, ld = d rounded up to even (the stride of every row), R = λ rounded up to even. What lies
 * beyond d in a row, and beyond λ in a population, is zero and stays zero.
 */
@unmanaged
export class State {
  // Parameters of the strategy.
  mueff: f64;
  cc: f64;
  c1: f64;
  cmu: f64;
  cs: f64;
  damps: f64;
  chiN: f64;
  /** Evaluations that pass between two eigendecompositions. */
  eigenGap: f64;
  /** Ratio of coordinate variances in C above which they move into `scale`. */
  alleviate: f64;
  // The run.
  seed: f64;
  stream: f64;
  /** Words of the random stream drawn before the population that is out, or will be next. */
  position: f64;
  sigma: f64;
  iterations: f64;
  evaluations: f64;
  eigenAt: f64;
  /** (1 − cs)^(2·iterations) */
  csDecay: f64;
  allNan: f64;
  bestFun: f64;
  bestAt: f64;
  // What the last generation looked like.
  fitBest: f64;
  fitWorst: f64;
  fitMedian: f64;
  fitUpper: f64;
  stdMax: f64;
  growth: f64;
  pathMax: f64;
  axisMin: f64;
  axisMax: f64;
  deafAxis: f64;
  deafCoordinate: f64;
  anchorDistance: f64;

  d: i32;
  ld: i32;
  lambda: i32;
  rows: i32;
  mu: i32;
  diagonal: i32;
  bounded: i32;
  words: i32;

  /** Vectors of ld numbers each; see PARTS in layout.ts. */
  mean: usize;
  pc: usize;
  ps: usize;
  scale: usize;
  axes: usize;
  bestX: usize;
  anchor: usize;
  initialStd: usize;
  minStd: usize;
  maxStd: usize;
  lower: usize;
  upper: usize;
  lowerMargin: usize;
  upperMargin: usize;
  meanX: usize;
  yw: usize;
  zw: usize;
  /** λ values, λ weights by rank, R + 1 factors of the covariance update, two orders of λ. */
  values: usize;
  weights: usize;
  factors: usize;
  order: usize;
  spare: usize;
  /** R×ld standard normal numbers; (R+1)×ld steps y, the last row for pc; (R+1)×ld for x and for factor·y. */
  z: usize;
  y: usize;
  x: usize;
  /** ld×ld, lower triangle; ld×ld, one eigenvector a row; workspace of the decomposition. */
  c: usize;
  e: usize;
  work: usize;
}

const VECTORS: usize = 17;
/** Doubles of workspace besides the matrix: diagonal, off-diagonal, reflector norms, cosines, sines, and a vector. */
const WORK_VECTORS: usize = 6;

function stride(d: i32): usize {
  return <usize>((d + 1) & ~1);
}

/** In diagonal mode no matrix is kept: C is a vector. */
function matrixDoubles(ld: usize, diagonal: i32): usize {
  return diagonal ? ld : ld * ld;
}

/** Bytes of a run's block. */
export function cmaBytes(d: i32, lambda: i32, diagonal: i32): usize {
  const ld = stride(d);
  const rows = stride(lambda);
  const doubles =
    VECTORS * ld +
    4 * rows +
    2 +
    (3 * rows + 2) * ld +
    matrixDoubles(ld, diagonal) * (diagonal ? 1 : 3) +
    WORK_VECTORS * ld;
  return ((offsetof<State>() + 15) & ~15) + 8 * doubles + 64;
}

/** Lays a run out at `pointer`, all zero. */
export function cmaPlace(pointer: usize, d: i32, lambda: i32, diagonal: i32): void {
  memory.fill(pointer, 0, cmaBytes(d, lambda, diagonal));
  const state = changetype<State>(pointer);
  const ld = stride(d);
  const rows = stride(lambda);
  state.d = d;
  state.ld = <i32>ld;
  state.lambda = lambda;
  state.rows = <i32>rows;
  state.diagonal = diagonal;
  let at = (pointer + offsetof<State>() + 15) & ~15;
  for (let vector: usize = 0; vector < VECTORS; vector++) {
    store<usize>(pointer + offsetof<State>('mean') + vector * sizeof<usize>(), at);
    at += 8 * ld;
  }
  state.values = at;
  at += 8 * rows;
  state.weights = at;
  at += 8 * rows;
  state.factors = at;
  at += 8 * (rows + 2);
  state.order = at;
  at += 4 * rows;
  state.spare = at;
  at += 4 * rows;
  at = (at + 15) & ~15;
  state.z = at;
  at += 8 * rows * ld;
  state.y = at;
  at += 8 * (rows + 1) * ld;
  state.x = at;
  at += 8 * (rows + 1) * ld;
  const matrix = <usize>8 * matrixDoubles(ld, diagonal);
  state.c = at;
  at += matrix;
  if (!diagonal) {
    state.e = at;
    at += matrix;
    state.work = at;
  }
}

/** Address of part number `part`, counted from `mean`. */
export function cmaPart(pointer: usize, part: i32): usize {
  return load<usize>(pointer + offsetof<State>('mean') + <usize>part * sizeof<usize>());
}
