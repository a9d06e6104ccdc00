import { panelToQuads } from '../linalg/panels.as';
import { Philox } from '../rng/philox.as';
import { shuffle } from '../rng/shuffle.as';
import { adam, adamW } from './adam.as';
import { batchLoss } from './loss.as';
import { Network } from './network.as';
import { backward, forward, refreshTransposed } from './propagate.as';

/** Streams below this one belong to initial weights and to the choice of validation rows. */
const FIRST_SHUFFLE_STREAM: f64 = 2;

/** Copies rows `order[from …]` of a row-major table (width a multiple of 8) into panels of `rows` rows. */
function gather(table: usize, width: i32, order: usize, count: i32, panels: usize, rows: i32): void {
  for (let i = 0; i < count; i++) {
    const row = load<u32>(order + ((<usize>i) << 2));
    let from = table + <usize>row * ((<usize>width) << 2);
    let to = panels + ((<usize>i) << 5);
    for (let column = 0; column < width; column += 8) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += 32;
      to += (<usize>rows) << 5;
    }
  }
}

/** Loads a batch and runs it forward; gives the number of rows with padding. */
function forwardBatch(network: Network, inputs: usize, targets: usize, order: usize, count: i32): i32 {
  const rows = (count + 3) & ~3;
  const width = network.layer(0).paddedInputs;
  gather(inputs, width, order, count, network.inputPanels, rows);
  gather(targets, (network.targets() + 7) & ~7, order, count, network.targetPanels, rows);
  for (let column = 0; column < width; column += 8) {
    const panel = network.inputPanels + ((<usize>(column * rows)) << 2);
    panelToQuads(panel, rows, network.inputQuads + ((<usize>column) << 4), (<usize>width) << 4);
  }
  forward(network, rows);
  return rows;
}

/** Whether every parameter is a finite number. */
function isFinite(network: Network): bool {
  const end = network.parameters + network.arenaBytes;
  const zero = f32x4.splat(0);
  let sum = zero;
  for (let w = network.parameters; w < end; w += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(w), zero));
  return !v128.any_true(f32x4.ne(sum, zero));
}

/**
 * One epoch of minibatches. inputs and targets: standardised row-major tables with padded widths; order: the training rows,
 * which come back shuffled by stream 2 + epoch of the seed.
 *
 * rates: the step size of each minibatch, f64. decoupled: AdamW instead of Adam.
 *
 * Gives the mean loss over rows, each row before its own batch's step; NaN when the parameters are not finite.
 */
export function mlpEpoch(
  pointer: usize,
  inputs: usize,
  targets: usize,
  order: usize,
  rows: i32,
  batch: i32,
  rates: usize,
  weightDecay: f64,
  decoupled: bool,
  seed: f64,
  epoch: f64,
): f64 {
  const network = changetype<Network>(pointer);
  const rng = changetype<Philox>(network.rng);
  rng.seed(seed, FIRST_SHUFFLE_STREAM + epoch);
  shuffle(rng, order, rows);
  refreshTransposed(network);
  let t = epoch * Math.ceil(<f64>rows / <f64>batch);
  network.seed = seed;
  network.epoch = epoch;
  network.isLearning = network.recordsSlopes;
  let sum = 0.0;
  for (let from = 0; from < rows; from += batch) {
    network.place = from;
    const count = min(batch, rows - from);
    const padded = forwardBatch(network, inputs, targets, order + ((<usize>from) << 2), count);
    sum += batchLoss(network, padded, count, <f32>1 / <f32>count);
    backward(network, padded, count);
    t += 1.0;
    if (decoupled) adamW(network, t, load<f64>(rates), weightDecay);
    else adam(network, t, load<f64>(rates), weightDecay);
    rates += 8;
    refreshTransposed(network);
  }
  network.isLearning = false;
  return isFinite(network) ? sum / <f64>rows : NaN;
}

/** Mean loss over the rows in `order`. */
export function mlpLoss(pointer: usize, inputs: usize, targets: usize, order: usize, rows: i32): f64 {
  const network = changetype<Network>(pointer);
  let sum = 0.0;
  for (let from = 0; from < rows; from += network.capacity) {
    const count = min(network.capacity, rows - from);
    const padded = forwardBatch(network, inputs, targets, order + ((<usize>from) << 2), count);
    sum += batchLoss(network, padded, count, 0);
  }
  return sum / <f64>rows;
}
