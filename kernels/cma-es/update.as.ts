import { addProductLower, axpy, dot } from './products.as';
import { decompose } from './eigen.as';
import { State } from './state.as';

/** σ changes by at most this factor's logarithm in one generation. */
const MAX_LOG_STEP: f64 = 1.0;

@inline
export function at(base: usize, i: i32): f64 {
  return load<f64>(base + (<usize>i << 3));
}

/** Variance of coordinate i in C. */
@inline
export function variance(state: State, i: i32): f64 {
  return state.diagonal ? at(state.c, i) : load<f64>(state.c + ((<usize>i * <usize>state.ld + <usize>i) << 3));
}

/** ⟨y⟩w and ⟨z⟩w over the μ best. */
export function recombine(state: State): void {
  const step = <usize>state.ld << 3;
  memory.fill(state.yw, 0, step);
  memory.fill(state.zw, 0, step);
  for (let place = 0; place < state.mu; place++) {
    const row = <usize>load<i32>(state.order + (<usize>place << 2)) * step;
    const weight = at(state.weights, place);
    axpy(weight, state.y + row, state.yw, state.ld);
    axpy(weight, state.z + row, state.zw, state.ld);
  }
}

export function moveMean(state: State): void {
  for (let i = 0; i < state.d; i++) {
    const shift = <usize>i << 3;
    store<f64>(state.mean + shift, at(state.mean, i) + state.sigma * at(state.scale, i) * at(state.yw, i));
  }
}

/** Both evolution paths. Gives h_σ. */
export function movePaths(state: State): f64 {
  const step = <usize>state.ld << 3;
  const gain = Math.sqrt(state.cs * (2.0 - state.cs) * state.mueff);
  for (let i: usize = 0; i < step; i += 8) store<f64>(state.ps + i, (1.0 - state.cs) * load<f64>(state.ps + i));
  if (state.diagonal) {
    axpy(gain, state.zw, state.ps, state.ld);
  } else {
    for (let j = 0; j < state.d; j++) axpy(gain * at(state.zw, j), state.e + <usize>j * step, state.ps, state.ld);
  }
  const decay = 1.0 - state.cs;
  state.csDecay *= decay * decay;
  const n = <f64>state.d;
  const squared = dot(state.ps, state.ps, state.ld) / (1.0 - state.csDecay);
  const hsig = squared / n - 1.0 < 1.0 + 4.0 / (n + 1.0) ? 1.0 : 0.0;
  const pull = hsig * Math.sqrt(state.cc * (2.0 - state.cc) * state.mueff);
  for (let i: usize = 0; i < step; i += 8) {
    store<f64>(state.pc + i, (1.0 - state.cc) * load<f64>(state.pc + i) + pull * load<f64>(state.yw + i));
  }
  return hsig;
}

/**
 * Factors of the rank-μ update by candidate: cμ·w, for negative w times d / ‖z‖², so that C stays positive definite.
 * Gives Σ w.
 */
function weigh(state: State): f64 {
  const step = <usize>state.ld << 3;
  let sum = 0.0;
  for (let place = 0; place < state.lambda; place++) {
    const candidate = <usize>load<i32>(state.order + (<usize>place << 2));
    const weight = at(state.weights, place);
    sum += weight;
    let factor = state.cmu * weight;
    if (weight < 0.0) {
      const z = state.z + candidate * step;
      const norm = Math.sqrt(dot(z, z, state.ld)) + 1e-9;
      factor *= <f64>state.d / (norm * norm);
    }
    store<f64>(state.factors + (candidate << 3), factor);
  }
  return sum;
}

/** C ← decay·C + c1·pc·pcᵀ + Σ factorₖ·yₖ·yₖᵀ */
export function moveCovariance(state: State, hsig: f64): void {
  const step = <usize>state.ld << 3;
  const sum = weigh(state);
  const c1a = state.c1 * (1.0 - (1.0 - hsig * hsig) * state.cc * (2.0 - state.cc));
  const decay = 1.0 - c1a - state.cmu * sum;
  const pathRow = <usize>state.rows * step;
  memory.copy(state.y + pathRow, state.pc, step);
  if (state.lambda < state.rows) store<f64>(state.factors + (<usize>state.lambda << 3), 0.0);
  store<f64>(state.factors + (<usize>state.rows << 3), state.c1);
  for (let k = 0; k <= state.rows; k++) {
    const row = <usize>k * step;
    const factor = f64x2.splat(at(state.factors, k));
    for (let i: usize = 0; i < step; i += 16) {
      v128.store(state.x + row + i, f64x2.mul(factor, v128.load(state.y + row + i)));
    }
  }
  if (!state.diagonal) {
    addProductLower(state.x, state.y, state.c, state.rows + 1, state.ld, decay);
    return;
  }
  for (let i: usize = 0; i < step; i += 8) {
    let value = decay * load<f64>(state.c + i);
    for (let k = 0; k <= state.rows; k++) {
      const row = <usize>k * step + i;
      value += load<f64>(state.x + row) * load<f64>(state.y + row);
    }
    store<f64>(state.c + i, value);
  }
}

export function moveSigma(state: State): void {
  const length = Math.sqrt(dot(state.ps, state.ps, state.ld));
  const change = (state.cs / state.damps) * (length / state.chiN - 1.0);
  state.sigma *= Math.exp(min(MAX_LOG_STEP, max(-MAX_LOG_STEP, change)));
}

/** Keeps the standard deviation of every coordinate within its limits, by way of `scale`. */
export function limitSpread(state: State): void {
  for (let i = 0; i < state.d; i++) {
    const shift = <usize>i << 3;
    const std = state.sigma * at(state.scale, i) * Math.sqrt(variance(state, i));
    const least = at(state.minStd, i);
    const most = at(state.maxStd, i);
    if (std < least && std > 0.0) store<f64>(state.scale + shift, (at(state.scale, i) * least) / std);
    else if (std > most) store<f64>(state.scale + shift, (at(state.scale, i) * most) / std);
  }
}

/** When coordinates differ too much in variance, C becomes their correlation matrix and `scale` takes the rest. */
function alleviate(state: State): bool {
  let least = variance(state, 0);
  let most = least;
  for (let i = 1; i < state.d; i++) {
    least = min(least, variance(state, i));
    most = max(most, variance(state, i));
  }
  if (!(most >= state.alleviate * least) || !(most < Infinity) || least <= 0.0) return false;
  const roots = state.zw;
  for (let i = 0; i < state.d; i++) store<f64>(roots + (<usize>i << 3), Math.sqrt(variance(state, i)));
  for (let i = 0; i < state.d; i++) {
    const shift = <usize>i << 3;
    const root = at(roots, i);
    const row = state.c + (<usize>i * <usize>state.ld << 3);
    for (let j = 0; j < i; j++) {
      const place = row + (<usize>j << 3);
      store<f64>(place, load<f64>(place) / (root * at(roots, j)));
    }
    store<f64>(row + shift, 1.0);
    store<f64>(state.scale + shift, at(state.scale, i) * root);
    store<f64>(state.pc + shift, at(state.pc, i) / root);
  }
  return true;
}

/** C = B = D = I. */
export function makeIsotropic(state: State): void {
  const ld = <usize>state.ld;
  memory.fill(state.c, 0, (state.diagonal ? ld : ld * ld) << 3);
  if (!state.diagonal) memory.fill(state.e, 0, (ld * ld) << 3);
  for (let i: usize = 0; i < <usize>state.d; i++) {
    store<f64>(state.axes + (i << 3), 1.0);
    store<f64>(state.c + ((state.diagonal ? i : i * ld + i) << 3), 1.0);
    if (!state.diagonal) store<f64>(state.e + ((i * ld + i) << 3), 1.0);
  }
}

/**
 * B and D from C. A matrix that is not positive definite any more gets a growing multiple of the identity added; one
 * that has overflowed starts anew.
 */
export function refreshAxes(state: State): void {
  state.eigenAt = state.evaluations;
  const step = <usize>state.ld << 3;
  const matrix = step * <usize>state.ld;
  const vectors = state.work + matrix;
  const values = vectors + 5 * step;
  let ridge = at(state.axes, 0) * at(state.axes, 0);
  for (;;) {
    memory.copy(state.work, state.c, matrix);
    if (decompose(state.work, state.e, values, vectors, state.d, state.ld) == 0) return makeIsotropic(state);
    if (load<f64>(values) > 0.0) break;
    for (let i = 0; i < state.d; i++) {
      const place = state.c + ((<usize>i * <usize>state.ld + <usize>i) << 3);
      store<f64>(place, load<f64>(place) + ridge);
    }
    ridge *= 2.0;
  }
  for (let i = 0; i < state.d; i++) store<f64>(state.axes + (<usize>i << 3), Math.sqrt(at(values, i)));
}

/** B and D of a first C that was given. False when it is not positive definite. */
export function settleAxes(state: State): bool {
  const step = <usize>state.ld << 3;
  const matrix = step * <usize>state.ld;
  const vectors = state.work + matrix;
  const values = vectors + 5 * step;
  memory.copy(state.work, state.c, matrix);
  if (decompose(state.work, state.e, values, vectors, state.d, state.ld) == 0) return false;
  for (let i = 0; i < state.d; i++) {
    if (!(at(values, i) > 0.0)) return false;
    store<f64>(state.axes + (<usize>i << 3), Math.sqrt(at(values, i)));
  }
  return true;
}

/** Square roots of the variances are the axes when C is diagonal. */
function refreshDiagonalAxes(state: State): void {
  for (let i = 0; i < state.d; i++) store<f64>(state.axes + (<usize>i << 3), Math.sqrt(at(state.c, i)));
}

/** One generation's learning from the ranking in `order` (equations 38–47 of arXiv:1604.00772). */
export function learn(state: State): void {
  recombine(state);
  moveMean(state);
  moveCovariance(state, movePaths(state));
  moveSigma(state);
  limitSpread(state);
  if (state.diagonal) refreshDiagonalAxes(state);
  else if (alleviate(state) || state.evaluations > state.eigenAt + state.eigenGap) refreshAxes(state);
}
