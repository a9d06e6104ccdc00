// CMA-ES: the loops of ask and tell. Parameters, stopping and restarts are in TypeScript.
import { intoBounds } from './bounds.as';
import { decompose } from './eigen.as';
import { admitElite, selectPairs } from './guests.as';
import { rank } from './order.as';
import { ADAPTIVE, State } from './state.as';
import { adaptRates } from './rates.as';
import { at, learn, limitSpread, makeIsotropic, settleAxes, variance } from './update.as';
export { cmaBytes, cmaPart, cmaPlace } from './state.as';
export { cmaAdmit, cmaSteer } from './guests.as';
export { cmaAsk } from './sample.as';

/** Begins a run whose parameters, mean, scale, limits and bounds are in place. */
export function cmaBegin(pointer: usize, sigma0: f64, mu: i32, bounded: i32, pairs: i32, elitist: i32): void {
  const state = changetype<State>(pointer);
  state.sigma = sigma0;
  state.mu = mu;
  state.bounded = bounded;
  state.pairs = pairs;
  state.elitist = elitist;
  state.csDecay = 1.0;
  state.bestFun = Infinity;
  state.eliteFun = Infinity;
  state.etaMean = 1.0;
  state.etaCov = 1.0;
  makeIsotropic(state);
  for (let i = 0; i < state.d; i++) {
    const shift = (<usize>i) << 3;
    store<f64>(state.initialStd + shift, sigma0 * at(state.scale, i));
    store<f64>(state.anchor + shift, at(state.mean, i));
    store<f64>(state.lift + shift, 1.0);
  }
  limitSpread(state);
}

/** Takes the C that stands in the block as the first one. Gives 0 unless it is positive definite. */
export function cmaSettle(pointer: usize): i32 {
  const state = changetype<State>(pointer);
  if (!settleAxes(state)) return 0;
  for (let i = 0; i < state.d; i++) {
    const std = state.sigma * at(state.scale, i) * Math.sqrt(variance(state, i));
    store<f64>(state.initialStd + ((<usize>i) << 3), std);
  }
  limitSpread(state);
  return 1;
}

/** Value and penalty at a place of the ranking; NaN counts as +∞. */
function ranked(state: State, place: i32): f64 {
  const value = at(state.merits, load<i32>(state.order + ((<usize>place) << 2)));
  return value == value ? value : Infinity;
}

function describeValues(state: State): void {
  const n = state.lambda;
  state.fitBest = ranked(state, 0);
  state.fitWorst = ranked(state, n - 1);
  state.fitUpper = ranked(state, (3 * n) / 4);
  const upper = ranked(state, n / 2);
  state.fitMedian = n & 1 ? upper : 0.5 * (ranked(state, n / 2 - 1) + upper);
}

/** The best value itself, which need not be the first in rank when there are penalties. */
function keepBest(state: State): void {
  let found = -1;
  let least = state.bestFun;
  for (let k = 0; k < state.lambda; k++) {
    const value = at(state.values, k);
    if (!(value < least)) continue;
    least = value;
    found = k;
  }
  if (found < 0) return;
  const bytes = (<usize>state.d) << 3;
  state.bestFun = least;
  state.bestAt = state.evaluations - <f64>state.lambda + <f64>found + 1.0;
  memory.copy(state.bestX, state.x + <usize>found * bytes, bytes);
}

/** The point that elitism keeps, where it was drawn, with its value and penalty. */
function keepElite(state: State): void {
  let candidate = load<i32>(state.order);
  if (state.elitist == 2) {
    if (state.eliteFun < Infinity) return;
    candidate = 0;
  }
  const merit = at(state.merits, candidate);
  if (!(merit < state.eliteFun)) return;
  state.eliteFun = merit;
  const y = state.y + <usize>candidate * ((<usize>state.ld) << 3);
  for (let i = 0; i < state.d; i++) {
    const place = at(state.mean, i) + at(state.spread, i) * at(y, i);
    store<f64>(state.elite + ((<usize>i) << 3), place);
  }
}

/** Index of a coordinate that 0.2 standard deviations do not move, or −1. */
function deafCoordinate(state: State): i32 {
  for (let i = 0; i < state.d; i++) {
    const std = state.sigma * at(state.scale, i) * Math.sqrt(variance(state, i));
    if (at(state.mean, i) == at(state.mean, i) + 0.2 * std) return i;
  }
  return -1;
}

/** Index of this iteration's axis if 0.1 standard deviations along it do not move the mean, or −1. */
function deafAxis(state: State): i32 {
  const axis = <i32>state.iterations % state.d;
  if (state.diagonal) return -1;
  const row = state.e + <usize>axis * ((<usize>state.ld) << 3);
  const reach = 0.1 * state.sigma * at(state.axes, axis);
  for (let i = 0; i < state.d; i++) {
    if (at(state.mean, i) != at(state.mean, i) + reach * at(state.scale, i) * at(row, i)) return -1;
  }
  return axis;
}

function describeSpread(state: State): void {
  state.stdMax = 0.0;
  state.growth = 0.0;
  state.pathMax = 0.0;
  state.axisMin = at(state.axes, 0);
  state.axisMax = state.axisMin;
  let squared = 0.0;
  for (let i = 0; i < state.d; i++) {
    const reach = state.sigma * at(state.scale, i);
    const std = reach * Math.sqrt(variance(state, i));
    const moved = at(state.mean, i) - at(state.anchor, i);
    state.stdMax = max(state.stdMax, std);
    state.growth = max(state.growth, std / at(state.initialStd, i));
    state.pathMax = max(state.pathMax, Math.abs(reach * at(state.pc, i)));
    state.axisMin = min(state.axisMin, at(state.axes, i));
    state.axisMax = max(state.axisMax, at(state.axes, i));
    squared += moved * moved;
  }
  state.anchorDistance = Math.sqrt(squared);
  state.deafCoordinate = <f64>deafCoordinate(state);
  state.deafAxis = <f64>deafAxis(state);
}

/** Ranks the λ values at `values`, with their penalties. Gives 0 when all of them are NaN. */
export function cmaRank(pointer: usize): i32 {
  const state = changetype<State>(pointer);
  for (let k = 0; k < state.lambda; k++) {
    store<f64>(state.merits + ((<usize>k) << 3), at(state.values, k) + at(state.penalties, k));
  }
  state.nans = rank(state.merits, state.order, state.spare, state.lambda);
  return <i32>(state.nans < state.lambda);
}

/** Learns from the ranking. A generation of NaNs alone is counted and teaches nothing. */
export function cmaTell(pointer: usize): void {
  const state = changetype<State>(pointer);
  state.position += 2.0 * <f64>state.lambda * <f64>state.d;
  state.iterations += 1.0;
  state.evaluations += <f64>state.lambda;
  describeValues(state);
  if (state.nans == state.lambda) {
    state.allNan += 1.0;
    return;
  }
  state.allNan = 0.0;
  keepBest(state);
  selectPairs(state);
  if (state.elitist) {
    if (state.eliteFun < state.fitBest) admitElite(state);
    else keepElite(state);
  }
  if (state.kind & ADAPTIVE) adaptRates(state);
  else learn(state);
  describeSpread(state);
}

/** The mean becomes the point from which stagnation is measured. */
export function cmaAnchor(pointer: usize): void {
  const state = changetype<State>(pointer);
  memory.copy(state.anchor, state.mean, (<usize>state.d) << 3);
}

/** Writes the mean, brought into the bounds, to `meanX`. */
export function cmaMean(pointer: usize): void {
  const state = changetype<State>(pointer);
  memory.copy(state.meanX, state.mean, (<usize>state.d) << 3);
  intoBounds(state, state.meanX);
}

/** See `decompose`. */
export function cmaDecompose(a: usize, e: usize, values: usize, work: usize, n: i32, ld: i32): i32 {
  return decompose(a, e, values, work, n, ld);
}
