// Candidates that the distribution did not draw by itself: mirror images, points from outside, elites.
import { intoBounds } from './bounds.as';
import { dot } from './products.as';
import { State } from './state.as';
import { at } from './update.as';

/** The last 2·pairs candidates become pairs z and −z. */
export function mirrorPairs(state: State): void {
  const step = (<usize>state.ld) << 3;
  for (let pair = 0; pair < state.pairs; pair++) {
    const image = state.z + <usize>(state.lambda - 1 - 2 * pair) * step;
    for (let i: usize = 0; i < step; i += 16) v128.store(image + i, f64x2.neg(v128.load(image - step + i)));
  }
}

/** Whether a candidate is half of a pair whose other half ranks before it. `places` has the place of each candidate. */
@inline
function loses(state: State, places: usize, candidate: i32): bool {
  const behind = state.lambda - 1 - candidate;
  if (behind >= 2 * state.pairs) return false;
  const other = behind & 1 ? candidate + 1 : candidate - 1;
  return load<i32>(places + (<usize>other << 2)) < load<i32>(places + (<usize>candidate << 2));
}

/**
 * Pairwise selection: of two mirror images only the better one may be a parent, so that their opposite steps do not cancel
 * and bias the step size; the others go to the end of the ranking (Auger, Brockhoff, Hansen, GECCO 2011).
 */
export function selectPairs(state: State): void {
  if (state.pairs == 0) return;
  const places = state.spare;
  const chosen = state.factors;
  for (let place = 0; place < state.lambda; place++) {
    store<i32>(places + (<usize>load<i32>(state.order + (<usize>place << 2)) << 2), place);
  }
  let next: usize = 0;
  for (let turn = 0; turn < 2; turn++) {
    for (let place = 0; place < state.lambda; place++) {
      const candidate = load<i32>(state.order + (<usize>place << 2));
      if (<i32>loses(state, places, candidate) != turn) continue;
      store<i32>(chosen + (next << 2), candidate);
      next++;
    }
  }
  memory.copy(state.order, chosen, next << 2);
}

/** z = D⁻¹·Bᵀ·y at row k. */
function whiten(state: State, y: usize, z: usize): void {
  const step = (<usize>state.ld) << 3;
  for (let j = 0; j < state.d; j++) {
    const along = state.diagonal ? at(y, j) : dot(state.e + <usize>j * step, y, state.ld);
    store<f64>(z + ((<usize>j) << 3), along / at(state.axes, j));
  }
}

/** Both rows of candidate k by a factor. */
function lengthen(state: State, y: usize, z: usize, factor: f64): void {
  for (let i: usize = 0; i < (<usize>state.d) << 3; i += 8) {
    store<f64>(y + i, load<f64>(y + i) * factor);
    store<f64>(z + i, load<f64>(z + i) * factor);
  }
}

/**
 * Candidate k steps to the point at `target`, which was not drawn. What is learnt from it is cut to the length
 * √d + 2d/(d + 2) (Hansen, Injecting external solutions into CMA-ES, arXiv:1110.4181, table 1).
 */
function stepTo(state: State, k: i32, target: usize): void {
  const step = (<usize>state.ld) << 3;
  const y = state.y + <usize>k * step;
  const z = state.z + <usize>k * step;
  for (let i = 0; i < state.d; i++) {
    store<f64>(y + ((<usize>i) << 3), (at(target, i) - at(state.mean, i)) / at(state.spread, i));
  }
  whiten(state, y, z);
  const n = <f64>state.d;
  const most = Math.sqrt(n) + (2.0 * n) / (n + 2.0);
  const length = Math.sqrt(dot(z, z, state.ld));
  if (length > most) lengthen(state, y, z, most / length);
}

/** Candidate k of the population that is out becomes the point in its row of `x`, given before it is brought into bounds. */
export function cmaAdmit(pointer: usize, k: i32): void {
  const state = changetype<State>(pointer);
  const x = state.x + <usize>k * ((<usize>state.d) << 3);
  stepTo(state, k, x);
  intoBounds(state, x);
}

/** Candidate k of the population that is out keeps its length ‖z‖ and takes the direction that stands in its row of `x`. */
export function cmaSteer(pointer: usize, k: i32): void {
  const state = changetype<State>(pointer);
  const step = (<usize>state.ld) << 3;
  const bytes = (<usize>state.d) << 3;
  const x = state.x + <usize>k * bytes;
  const y = state.y + <usize>k * step;
  const z = state.z + <usize>k * step;
  const length = Math.sqrt(dot(z, z, state.ld));
  for (let i: usize = 0; i < bytes; i += 8) store<f64>(y + i, load<f64>(x + i) / load<f64>(state.scale + i));
  whiten(state, y, z);
  lengthen(state, y, z, length / Math.sqrt(dot(z, z, state.ld)));
  for (let i: usize = 0; i < bytes; i += 8) {
    store<f64>(x + i, load<f64>(state.mean + i) + load<f64>(state.spread + i) * load<f64>(y + i));
  }
  intoBounds(state, x);
}

/** The kept point takes the place of the worst candidate, and ranks first. */
export function admitElite(state: State): void {
  const worst = load<i32>(state.order + (<usize>(state.lambda - 1) << 2));
  for (let place = state.lambda - 1; place > 0; place--) {
    store<i32>(state.order + (<usize>place << 2), load<i32>(state.order + (<usize>(place - 1) << 2)));
  }
  store<i32>(state.order, worst);
  stepTo(state, worst, state.elite);
}
