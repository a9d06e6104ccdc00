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
  /** Value of the point at `elite`; +∞ while there is none. */
  eliteFun: f64;
  // Learning rates of mean and covariance and the mean squares of their steps (see rates.as.ts).
  etaMean: f64;
  etaCov: f64;
  powerMean: f64;
  powerCov: f64;
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
  /** NaNs in the ranking. */
  nans: i32;
  rows: i32;
  mu: i32;
  diagonal: i32;
  /** Bits: see layout.ts. */
  kind: i32;
  /** 0: free; 1: bent into the bounds; 2: cut off at them, with a penalty. */
  bounded: i32;
  /** Pairs of mirrored candidates at the end of the population. */
  pairs: i32;
  /** 0: none; 1: the best point so far; 2: the first one. */
  elitist: i32;

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
  /** Factors of `scale` for sampling alone. */
  lift: usize;
  /** σ·scale∘lift of the population that is out. */
  spread: usize;
  elite: usize;
  /** Mean of the steps of m, in the coordinates where C is I. */
  drift: usize;
  /** λ values, λ penalties on them, λ sums of both, λ weights by rank, R + 1 factors of the covariance update, two orders of λ. */
  values: usize;
  penalties: usize;
  merits: usize;
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
  /** ld×ld, only with adaptive rates: mean of the steps of C (lower triangle); C before the step; two for products. */
  driftC: usize;
  before: usize;
  left: usize;
  right: usize;
  work: usize;
}

const DIAGONAL: i32 = 1;
export const ADAPTIVE: i32 = 2;

const VECTORS: usize = 21;
/** Doubles of workspace besides the matrix: diagonal, off-diagonal, reflector norms, cosines, sines, and a vector. */
const WORK_VECTORS: usize = 6;

function stride(d: i32): usize {
  return <usize>((d + 1) & ~1);
}

/** C, and the matrices that go with it. In diagonal mode there is none: C is a vector. */
function matrixDoubles(ld: usize, kind: i32): usize {
  if (kind & DIAGONAL) return ld;
  return (kind & ADAPTIVE ? 7 : 3) * ld * ld;
}

/** Bytes of a run's block. */
export function cmaBytes(d: i32, lambda: i32, kind: i32): usize {
  const ld = stride(d);
  const rows = stride(lambda);
  const doubles =
    VECTORS * ld +
    6 * rows +
    2 +
    (3 * rows + 2) * ld +
    matrixDoubles(ld, kind) +
    WORK_VECTORS * ld;
  return ((offsetof<State>() + 15) & ~15) + 8 * doubles + 64;
}

/** Lays a run out at `pointer`, all zero. */
export function cmaPlace(pointer: usize, d: i32, lambda: i32, kind: i32): void {
  memory.fill(pointer, 0, cmaBytes(d, lambda, kind));
  const state = changetype<State>(pointer);
  const ld = stride(d);
  const rows = stride(lambda);
  state.d = d;
  state.ld = <i32>ld;
  state.lambda = lambda;
  state.rows = <i32>rows;
  state.kind = kind;
  state.diagonal = kind & DIAGONAL;
  let at = (pointer + offsetof<State>() + 15) & ~15;
  for (let vector: usize = 0; vector < VECTORS; vector++) {
    store<usize>(pointer + offsetof<State>('mean') + vector * sizeof<usize>(), at);
    at += 8 * ld;
  }
  state.values = at;
  at += 8 * rows;
  state.penalties = at;
  at += 8 * rows;
  state.merits = at;
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
  const matrix = <usize>8 * ld * (state.diagonal ? 1 : ld);
  state.c = at;
  at += matrix;
  if (state.diagonal) return;
  state.e = at;
  at += matrix;
  if (kind & ADAPTIVE) {
    state.driftC = at;
    state.before = at + matrix;
    state.left = at + 2 * matrix;
    state.right = at + 3 * matrix;
    at += 4 * matrix;
  }
  state.work = at;
}

/** Address of part number `part`, counted from `mean`. */
export function cmaPart(pointer: usize, part: i32): usize {
  return load<usize>(pointer + offsetof<State>('mean') + <usize>part * sizeof<usize>());
}
