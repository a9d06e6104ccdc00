import { Network } from './network.as';
import { forward } from './propagate.as';

/**
 * Standardised inputs are held within these bounds. Training data never get near; a row from elsewhere gives a finite
 * prediction instead of an overflow.
 */
const LIMIT: f64 = 1e6;

function standardise(network: Network, x: usize, count: i32, scaling: usize): void {
  const layer = network.layer(0);
  const inputs = layer.inputs;
  for (let i = 0; i < count; i++) {
    let to = network.inputQuads + <usize>(i >> 2) * ((<usize>layer.paddedInputs) << 4) + ((<usize>(i & 3)) << 2);
    for (let j = 0; j < inputs; j++) {
      const mean = load<f64>(scaling + ((<usize>j) << 3));
      const scale = load<f64>(scaling + ((<usize>(inputs + j)) << 3));
      const z = (load<f64>(x) - mean) / scale;
      store<f32>(to, <f32>min(max(z, -LIMIT), LIMIT));
      x += 8;
      to += 16;
    }
  }
}

/**
 * Predictions of one network in original units: x is N×D, out N×K, row-major f64. scaling: D means and D scales of the
 * inputs, then K means and K scales of the outputs.
 */
export function mlpPredict(pointer: usize, scaling: usize, x: usize, rows: i32, out: usize): void {
  const network = changetype<Network>(pointer);
  const inputs = network.layer(0).inputs;
  const last = network.last();
  const outputs = last.outputs;
  const outputScaling = scaling + ((<usize>inputs) << 4);
  for (let from = 0; from < rows; from += network.capacity) {
    const count = min(network.capacity, rows - from);
    const padded = (count + 3) & ~3;
    standardise(network, x, count, scaling);
    forward(network, padded);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < outputs; k++) {
        const place = ((<usize>(k >> 3) * <usize>padded + <usize>i) << 5) + ((<usize>(k & 7)) << 2);
        const mean = load<f64>(outputScaling + ((<usize>k) << 3));
        const scale = load<f64>(outputScaling + ((<usize>(outputs + k)) << 3));
        store<f64>(out, mean + scale * <f64>load<f32>(last.panels + place));
        out += 8;
      }
    }
    x += (<usize>(count * inputs)) << 3;
  }
}

/** Mean and population standard deviation over M members; members: M blocks of n numbers. */
export function mlpSpread(members: usize, m: i32, n: i32, mean: usize, deviation: usize): void {
  for (let i = 0; i < n; i++) {
    const offset = (<usize>i) << 3;
    let sum = 0.0;
    for (let j = 0; j < m; j++) sum += load<f64>(members + offset + ((<usize>(j * n)) << 3));
    const average = sum / <f64>m;
    let squares = 0.0;
    for (let j = 0; j < m; j++) {
      const difference = load<f64>(members + offset + ((<usize>(j * n)) << 3)) - average;
      squares += difference * difference;
    }
    store<f64>(mean + offset, average);
    store<f64>(deviation + offset, Math.sqrt(squares / <f64>m));
  }
}
