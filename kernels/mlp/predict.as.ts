import { MAX_LOG_VARIANCE } from './loss.as';
import { GAUSSIAN_NLL, LOG_LOSS, Network } from './network.as';
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

/** Output c of row i in panels of `rows` rows. */
function output(network: Network, c: i32, i: i32, rows: i32): f64 {
  const place = ((<usize>(c >> 3) * <usize>rows + <usize>i) << 5) + ((<usize>(c & 7)) << 2);
  return <f64>load<f32>(network.last().panels + place);
}

/** mean + scale·ŷ for each target of `count` rows. */
function writeMeans(network: Network, scaling: usize, count: i32, rows: i32, out: usize): void {
  const targets = network.targets();
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < targets; k++) {
      const mean = load<f64>(scaling + ((<usize>k) << 3));
      const scale = load<f64>(scaling + ((<usize>(targets + k)) << 3));
      store<f64>(out, mean + scale * output(network, k, i, rows));
      out += 8;
    }
  }
}

/** scale²·eˢ for each target of `count` rows. */
function writeVariances(network: Network, scaling: usize, count: i32, rows: i32, out: usize): void {
  const targets = network.targets();
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < targets; k++) {
      const scale = load<f64>(scaling + ((<usize>(targets + k)) << 3));
      const s = min(max(output(network, targets + k, i, rows), -MAX_LOG_VARIANCE), MAX_LOG_VARIANCE);
      store<f64>(out, scale * scale * Math.exp(s));
      out += 8;
    }
  }
}

/** softmax of the outputs of `count` rows. */
function writeProbabilities(network: Network, count: i32, rows: i32, out: usize): void {
  const classes = network.last().outputs;
  for (let i = 0; i < count; i++) {
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) largest = max(largest, output(network, c, i, rows));
    let total = 0.0;
    for (let c = 0; c < classes; c++) {
      const weight = Math.exp(output(network, c, i, rows) - largest);
      store<f64>(out + ((<usize>c) << 3), weight);
      total += weight;
    }
    for (let c = 0; c < classes; c++, out += 8) store<f64>(out, load<f64>(out) / total);
  }
}

/**
 * Predictions of one network: x is N×D, row-major f64. scaling: D means and D scales of the inputs, then K means and K scales of
 * the targets.
 *
 * out: N×K in original units, or N×C probabilities with `log_loss`. variance: N×K with `gaussian_nll`, else untouched.
 */
export function mlpPredict(pointer: usize, scaling: usize, x: usize, rows: i32, out: usize, variance: usize): void {
  const network = changetype<Network>(pointer);
  const inputs = network.layer(0).inputs;
  const columns = network.loss == LOG_LOSS ? network.last().outputs : network.targets();
  const targetScaling = scaling + ((<usize>inputs) << 4);
  for (let from = 0; from < rows; from += network.capacity) {
    const count = min(network.capacity, rows - from);
    const padded = (count + 3) & ~3;
    standardise(network, x, count, scaling);
    forward(network, padded);
    if (network.loss == LOG_LOSS) writeProbabilities(network, count, padded, out);
    else writeMeans(network, targetScaling, count, padded, out);
    const bytes = (<usize>(count * columns)) << 3;
    if (network.loss == GAUSSIAN_NLL) {
      writeVariances(network, targetScaling, count, padded, variance);
      variance += bytes;
    }
    out += bytes;
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
