import { Philox } from '../rng/philox.as';
import { alloc } from '../runtime/memory.as';

/** Layer l maps D = `inputs` numbers to H = `outputs`: y = g(x·W + b). Widths are padded to multiples of 8. */
@unmanaged
export class Layer {
  inputs: i32;
  outputs: i32;
  paddedInputs: i32;
  paddedOutputs: i32;
  /** Panels of W[D×H], then b[H], as offsets in bytes into each of the network's parameter arenas. */
  weights: usize;
  bias: usize;
  /** Panels of Wᵀ; for layers through which gradients flow back. */
  transposed: usize;
  /** Outputs of the layer for one batch. */
  panels: usize;
  quads: usize;
  /** ∂loss/∂(x·W + b) for one batch. */
  deltaPanels: usize;
  deltaQuads: usize;
  /** ∂output/∂(x·W + b) for one batch, where it does not follow from the outputs; see `recordsSlopes`. */
  slopePanels: usize;
}

@unmanaged
export class Network {
  depth: i32;
  activation: i32;
  /** Rows of the largest batch, a multiple of 4. */
  capacity: i32;
  training: bool;
  loss: i32;
  /** β of β-NLL. */
  beta: f64;
  /** Whether slopes are kept for the backward pass: with GELU or dropout. */
  recordsSlopes: bool;
  /** Whether the batch is one to learn from: it drops units, and keeps slopes. */
  isLearning: bool;
  /** A unit is dropped when its random word is below this; those that stay are multiplied by `keepScale`. */
  dropBelow: u32;
  /** Room for the random words of two rows of a panel. */
  dropWords: usize;
  keepScale: f32;
  /** What decides the dropped units: the seed, the epoch, and the place of the batch's first row in the epoch's order. */
  seed: f64;
  epoch: f64;
  place: i32;
  layers: usize;
  /** Arenas of `arenaBytes`: parameters, their gradient, Adam's first and second moment. */
  arenaBytes: usize;
  parameters: usize;
  gradient: usize;
  firstMoment: usize;
  secondMoment: usize;
  /** Parameters worth keeping, for early stopping. */
  best: usize;
  inputPanels: usize;
  inputQuads: usize;
  targetPanels: usize;
  rng: usize;

  layer(index: i32): Layer {
    return changetype<Layer>(this.layers + <usize>index * offsetof<Layer>());
  }

  last(): Layer {
    return this.layer(this.depth - 1);
  }

  /** Targets of a row: as many as outputs, half of them, or the class. */
  targets(): i32 {
    const outputs = this.last().outputs;
    if (this.loss == GAUSSIAN_NLL) return outputs >> 1;
    return this.loss == LOG_LOSS ? 1 : outputs;
  }
}

export const RELU: i32 = 0;
export const TANH: i32 = 1;
export const GELU: i32 = 2;

export const SQUARED_ERROR: i32 = 0;
export const GAUSSIAN_NLL: i32 = 1;
export const LOG_LOSS: i32 = 2;

function padTo8(width: i32): i32 {
  return (width + 7) & ~7;
}

function allocLayer(network: Network, index: i32, inputs: i32, outputs: i32): void {
  const layer = network.layer(index);
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.paddedInputs = padTo8(inputs);
  layer.paddedOutputs = padTo8(outputs);
  layer.weights = network.arenaBytes;
  layer.bias = layer.weights + ((<usize>(layer.paddedInputs * layer.paddedOutputs)) << 2);
  network.arenaBytes = layer.bias + ((<usize>layer.paddedOutputs) << 2);
  const batchBytes = (<usize>(network.capacity * layer.paddedOutputs)) << 2;
  // A prediction needs one panel at a time: it stays in the nearest cache.
  const needed = network.training || index == network.depth - 1;
  layer.panels = alloc(needed ? batchBytes : (<usize>network.capacity) << 5);
  layer.quads = alloc(batchBytes);
  if (!network.training) return;
  layer.deltaPanels = alloc(batchBytes);
  layer.deltaQuads = alloc(batchBytes);
  if (index > 0) layer.transposed = alloc(layer.bias - layer.weights);
}

/** widths: `depth + 1` words, inputs first. Gives the address of a network whose parameters are zero. */
export function mlpNew(widths: usize, depth: i32, activation: i32, loss: i32, capacity: i32, training: bool): usize {
  const network = changetype<Network>(alloc(offsetof<Network>()));
  network.depth = depth;
  network.activation = activation;
  network.loss = loss;
  network.capacity = (capacity + 3) & ~3;
  network.training = training;
  network.layers = alloc(<usize>depth * offsetof<Layer>());
  for (let l = 0; l < depth; l++) {
    allocLayer(network, l, load<i32>(widths + ((<usize>l) << 2)), load<i32>(widths + ((<usize>l) << 2), 4));
  }
  network.parameters = alloc(network.arenaBytes);
  network.inputQuads = alloc((<usize>(network.capacity * network.layer(0).paddedInputs)) << 2);
  network.inputPanels = alloc((<usize>(network.capacity * network.layer(0).paddedInputs)) << 2);
  if (training) {
    network.rng = alloc(offsetof<Philox>());
    network.gradient = alloc(network.arenaBytes);
    network.firstMoment = alloc(network.arenaBytes);
    network.secondMoment = alloc(network.arenaBytes);
    network.best = alloc(network.arenaBytes);
    network.targetPanels = alloc((<usize>(network.capacity * network.last().paddedOutputs)) << 2);
  }
  return changetype<usize>(network);
}

/** How a network for training is trained; to be called once, before the first epoch. dropout and beta as in options.ts. */
export function mlpConfigure(pointer: usize, dropout: f64, beta: f64): void {
  const network = changetype<Network>(pointer);
  network.beta = beta;
  network.dropBelow = <u32>(dropout * 4294967296.0);
  network.keepScale = <f32>(1.0 / (1.0 - dropout));
  network.recordsSlopes = network.activation == GELU || network.dropBelow > 0;
  if (!network.recordsSlopes) return;
  network.dropWords = alloc(64);
  for (let l = 0; l < network.depth - 1; l++) {
    const layer = network.layer(l);
    layer.slopePanels = alloc((<usize>(network.capacity * layer.paddedOutputs)) << 2);
  }
}

export function mlpParameters(network: usize): usize {
  return changetype<Network>(network).parameters;
}

export function mlpFirstMoment(network: usize): usize {
  return changetype<Network>(network).firstMoment;
}

export function mlpSecondMoment(network: usize): usize {
  return changetype<Network>(network).secondMoment;
}

export function mlpBest(network: usize): usize {
  return changetype<Network>(network).best;
}

export function mlpKeep(pointer: usize): void {
  const network = changetype<Network>(pointer);
  memory.copy(network.best, network.parameters, network.arenaBytes);
}

/** Copies between an arena and its plain form: for each layer W[D×H] row-major, then b[H], nothing padded. */
function copyArena(network: Network, arena: usize, plain: usize, toArena: bool): void {
  for (let l = 0; l < network.depth; l++) {
    const layer = network.layer(l);
    // The bias follows the weights as one more row, which has no panels.
    for (let row = 0; row <= layer.inputs; row++) {
      for (let column = 0; column < layer.outputs; column++) {
        const place =
          row < layer.inputs
            ? layer.weights + ((<usize>((column & ~7) * layer.paddedInputs + row * 8 + (column & 7))) << 2)
            : layer.bias + ((<usize>column) << 2);
        if (toArena) store<f32>(arena + place, load<f32>(plain));
        else store<f32>(plain, load<f32>(arena + place));
        plain += 4;
      }
    }
  }
}

export function mlpPack(network: usize, plain: usize, arena: usize): void {
  copyArena(changetype<Network>(network), arena, plain, true);
}

export function mlpUnpack(network: usize, arena: usize, plain: usize): void {
  copyArena(changetype<Network>(network), arena, plain, false);
}
