import { Philox } from '../rng/philox.as';
import { fillNormals } from '../rng/normals.as';
import { intoBounds } from './bounds.as';
import { mirrorPairs } from './guests.as';
import { multiply } from './products.as';
import { State } from './state.as';

/** One generator for all runs of an instance; where a run is in its stream stands in its state. */
const generator = changetype<Philox>(heap.alloc(offsetof<Philox>()));

/** Rows of Z: standard normal numbers, candidate by candidate. */
function drawNormals(state: State): void {
  generator.seed(state.seed, state.stream);
  generator.seek(<u64>state.position);
  const step = (<usize>state.ld) << 3;
  const bytes = (<usize>state.d) << 3;
  // One draw for all; x is free until the candidates are built.
  const packed = state.d == state.ld ? state.z : state.x;
  fillNormals(generator, packed, state.lambda * state.d);
  if (packed == state.z) return;
  for (let k: usize = 0; k < <usize>state.lambda; k++) memory.copy(state.z + k * step, packed + k * bytes, bytes);
}

/** Rows of `out`: D·z, coordinate by coordinate. */
function stretch(state: State, out: usize): void {
  const step = (<usize>state.ld) << 3;
  for (let k = 0; k < state.lambda; k++) {
    const shift = <usize>k * step;
    for (let i: usize = 0; i < step; i += 16) {
      const value = f64x2.mul(v128.load(state.z + shift + i), v128.load(state.axes + i));
      v128.store(out + shift + i, value);
    }
  }
}

/**
 * Draws the population: Z of N(0, I), Y = B·D·Z, and at `x` the candidates m + σ·s∘a∘y (s scale, a lift), brought into the bounds and packed
 * λ×d. Calling it again gives the same population.
 */
export function cmaAsk(pointer: usize): void {
  const state = changetype<State>(pointer);
  drawNormals(state);
  mirrorPairs(state);
  if (state.diagonal) {
    stretch(state, state.y);
  } else {
    const last = <usize>(state.rows - 1) * ((<usize>state.ld) << 3);
    if (state.lambda < state.rows) memory.fill(state.x + last, 0, (<usize>state.ld) << 3);
    stretch(state, state.x);
    multiply(state.x, state.e, state.y, state.rows, state.d, state.ld);
  }
  const step = (<usize>state.ld) << 3;
  const bytes = (<usize>state.d) << 3;
  for (let i: usize = 0; i < bytes; i += 8) {
    store<f64>(state.spread + i, state.sigma * load<f64>(state.scale + i) * load<f64>(state.lift + i));
  }
  for (let k = 0; k < state.lambda; k++) {
    const y = state.y + <usize>k * step;
    const x = state.x + <usize>k * bytes;
    for (let i: usize = 0; i < bytes; i += 8) {
      store<f64>(x + i, load<f64>(state.mean + i) + load<f64>(state.spread + i) * load<f64>(y + i));
    }
    intoBounds(state, x);
  }
}
