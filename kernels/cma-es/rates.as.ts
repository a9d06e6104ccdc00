// Learning rates that follow the signal in the steps: LRA-CMA-ES (Nomura, Akimoto, Ono, arXiv:2304.03473).
import { addProductLower, dot, multiply } from './products.as';
import { State } from './state.as';
import { at, limitSpread, moveCovariance, moveMean, movePaths, moveSigma, recombine, refreshAxes } from './update.as';

/** Values of table 1: α, β of mean and covariance, γ. */
const SIGNAL: f64 = 1.4;
const MEMORY_MEAN: f64 = 0.1;
const MEMORY_COV: f64 = 0.03;
const MOST: f64 = 0.1;

/** Equations (17)–(19): the next rate, from the mean step's square and the mean square of the steps. */
function nextRate(eta: f64, squaredMean: f64, power: f64, memory: f64): f64 {
  const noise = power - squaredMean;
  const signal = squaredMean - (memory / (2.0 - memory)) * power;
  const relative = noise > 0.0 ? signal / noise / (SIGNAL * eta) - 1.0 : 1.0;
  return min(1.0, eta * Math.exp(min(MOST * eta, memory) * min(1.0, max(-1.0, relative))));
}

/** The rate of the mean. Its step where C is I is B·⟨z⟩w. */
function rateMean(state: State): void {
  const step = <usize>state.ld << 3;
  const local = state.yw;
  memory.fill(local, 0, step);
  for (let j = 0; j < state.d; j++) {
    const along = at(state.zw, j);
    const axis = state.e + <usize>j * step;
    for (let i: usize = 0; i < step; i += 8) store<f64>(local + i, load<f64>(local + i) + along * load<f64>(axis + i));
  }
  for (let i: usize = 0; i < step; i += 8) {
    const mixed = (1.0 - MEMORY_MEAN) * load<f64>(state.drift + i) + MEMORY_MEAN * load<f64>(local + i);
    store<f64>(state.drift + i, mixed);
  }
  state.powerMean = (1.0 - MEMORY_MEAN) * state.powerMean + MEMORY_MEAN * dot(local, local, state.ld);
  state.etaMean = nextRate(state.etaMean, dot(state.drift, state.drift, state.ld), state.powerMean, MEMORY_MEAN);
}

/** Where C was I: C^(−½)·Δ·C^(−½)/√2 of the step Δ = ratio·C − C before, its lower triangle at `right`. */
function localStep(state: State, ratio: f64): void {
  const step = <usize>state.ld << 3;
  for (let i = 0; i < state.d; i++) {
    for (let j = 0; j <= i; j++) {
      const shift = <usize>i * step + (<usize>j << 3);
      const change = ratio * load<f64>(state.c + shift) - load<f64>(state.before + shift);
      store<f64>(state.work + shift, change);
      store<f64>(state.work + <usize>j * step + (<usize>i << 3), change);
    }
  }
  multiply(state.e, state.work, state.left, state.ld, state.d, state.ld);
  for (let i = 0; i < state.d; i++) {
    for (let j = 0; j <= i; j++) {
      const along = dot(state.left + <usize>i * step, state.e + <usize>j * step, state.ld);
      const local = along / (Math.SQRT2 * at(state.axes, i) * at(state.axes, j));
      store<f64>(state.work + <usize>i * step + (<usize>j << 3), local);
      store<f64>(state.work + <usize>j * step + (<usize>i << 3), local);
    }
  }
  multiply(state.work, state.e, state.left, state.ld, state.d, state.ld);
  addProductLower(state.e, state.left, state.right, state.d, state.ld, 0.0);
}

/** The rate of the covariance matrix. */
function rateCovariance(state: State): void {
  const step = <usize>state.ld << 3;
  let squared = 0.0;
  let squaredMean = 0.0;
  for (let i = 0; i < state.d; i++) {
    for (let j = 0; j <= i; j++) {
      const shift = <usize>i * step + (<usize>j << 3);
      const local = load<f64>(state.right + shift);
      const mixed = (1.0 - MEMORY_COV) * load<f64>(state.driftC + shift) + MEMORY_COV * local;
      const times = i == j ? 1.0 : 2.0;
      store<f64>(state.driftC + shift, mixed);
      squared += times * local * local;
      squaredMean += times * mixed * mixed;
    }
  }
  state.powerCov = (1.0 - MEMORY_COV) * state.powerCov + MEMORY_COV * squared;
  state.etaCov = nextRate(state.etaCov, squaredMean, state.powerCov, MEMORY_COV);
}

/** C ← C before + η·(ratio·C − C before), in units of the σ before. */
function mixCovariance(state: State, ratio: f64): void {
  const step = <usize>state.ld << 3;
  for (let i = 0; i < state.d; i++) {
    for (let j = 0; j <= i; j++) {
      const shift = <usize>i * step + (<usize>j << 3);
      const old = load<f64>(state.before + shift);
      store<f64>(state.c + shift, old + state.etaCov * (ratio * load<f64>(state.c + shift) - old));
    }
  }
}

/** Moves the size of C into σ, so that det C = 1. */
function moveSizeIntoSigma(state: State): void {
  const step = <usize>state.ld << 3;
  let logs = 0.0;
  for (let i = 0; i < state.d; i++) logs += Math.log(at(state.axes, i));
  const root = Math.exp(logs / <f64>state.d);
  state.sigma *= root;
  for (let i = 0; i < state.d; i++) {
    store<f64>(state.axes + (<usize>i << 3), at(state.axes, i) / root);
    for (let j = 0; j <= i; j++) {
      const place = state.c + <usize>i * step + (<usize>j << 3);
      store<f64>(place, load<f64>(place) / (root * root));
    }
  }
}

/** One generation's learning, the steps of m and of σ²·C shortened by their rates. C is decomposed every time. */
export function adaptRates(state: State): void {
  const step = <usize>state.ld << 3;
  const sigma = state.sigma;
  const rate = state.etaMean;
  memory.copy(state.before, state.c, step * <usize>state.ld);
  memory.copy(state.meanX, state.mean, step);
  recombine(state);
  moveMean(state);
  moveCovariance(state, movePaths(state));
  moveSigma(state);
  const ratio = (state.sigma / sigma) * (state.sigma / sigma);
  rateMean(state);
  localStep(state, ratio);
  rateCovariance(state);
  for (let i: usize = 0; i < step; i += 8) {
    const old = load<f64>(state.meanX + i);
    store<f64>(state.mean + i, old + state.etaMean * (load<f64>(state.mean + i) - old));
  }
  mixCovariance(state, ratio);
  state.sigma = sigma;
  refreshAxes(state);
  moveSizeIntoSigma(state);
  state.sigma *= rate / state.etaMean;
  limitSpread(state);
}
