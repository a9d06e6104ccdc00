import { State } from './state.as';

/**
 * One coordinate into [lower, upper]: the identity except within a margin of a bound, where it is a parabola that
 * touches the bound one margin outside; mirrored and periodic beyond (as pycma's BoundTransform). Infinite bounds are
 * never met, so nothing changes there.
 */
@inline
function bend(value: f64, lower: f64, upper: f64, lowerMargin: f64, upperMargin: f64): f64 {
  let y = value;
  const half = 0.5 * (upper - lower);
  const start = lower - 2.0 * lowerMargin - half;
  if (y < start || y > upper + 2.0 * upperMargin + half) {
    const period = 2.0 * (upper - lower + lowerMargin + upperMargin);
    y -= period * Math.floor((y - start) / period);
  }
  if (y > upper + upperMargin) y -= 2.0 * (y - upper - upperMargin);
  if (y < lower - lowerMargin) y += 2.0 * (lower - lowerMargin - y);
  if (y < lower + lowerMargin) {
    const reach = y - (lower - lowerMargin);
    y = lower + (reach * reach) / (4.0 * lowerMargin);
  }
  if (y > upper - upperMargin) {
    const reach = y - (upper + upperMargin);
    y = upper - (reach * reach) / (4.0 * upperMargin);
  }
  return min(max(y, lower), upper);
}

/** Bends d coordinates at `x` into the bounds, or cuts them off there, in place, when the run has bounds. */
export function intoBounds(state: State, x: usize): void {
  if (!state.bounded) return;
  const bytes = <usize>state.d << 3;
  if (state.bounded == 2) {
    for (let i: usize = 0; i < bytes; i += 8) {
      store<f64>(x + i, min(max(load<f64>(x + i), load<f64>(state.lower + i)), load<f64>(state.upper + i)));
    }
    return;
  }
  for (let i: usize = 0; i < bytes; i += 8) {
    const value = bend(
      load<f64>(x + i),
      load<f64>(state.lower + i),
      load<f64>(state.upper + i),
      load<f64>(state.lowerMargin + i),
      load<f64>(state.upperMargin + i),
    );
    store<f64>(x + i, value);
  }
}
