import {
  ZEROS,
  multiplyPanel,
  multiplyTransposedPanel,
  panelToQuads,
  sumPanel,
  transposePanels,
} from '../linalg/panels.as';
import { activatePanel, activateWithSlopes, differentiatePanel, multiplySlopes } from './activation.as';
import { dropPanel } from './dropout.as';
import { Layer, Network } from './network.as';

/** Activates a panel of hidden layer `index`, keeps its slopes, and drops units. */
function learnPanel(network: Network, index: i32, column: i32, panel: usize, rows: i32): void {
  const slopes = network.layer(index).slopePanels + ((<usize>(column * rows)) << 2);
  activateWithSlopes(network.activation, panel, slopes, rows);
  if (network.dropBelow > 0) dropPanel(network, index, column, panel, slopes, rows);
}

/** Forward pass for `rows` rows (a multiple of 4) of `inputQuads`. The outputs are in the last layer's panels. */
export function forward(network: Network, rows: i32): void {
  let x = network.inputQuads;
  for (let l = 0; l < network.depth; l++) {
    const layer = network.layer(l);
    const isLast = l == network.depth - 1;
    const panelBytes = network.training || isLast ? (<usize>rows) << 5 : 0;
    const quadBytes = (<usize>layer.paddedOutputs) << 4;
    const weightPanelBytes = (<usize>layer.paddedInputs) << 5;
    let panel = layer.panels;
    let weights = network.parameters + layer.weights;
    let bias = network.parameters + layer.bias;
    let quads = layer.quads;
    for (let column = 0; column < layer.paddedOutputs; column += 8) {
      multiplyPanel(x, (<usize>layer.paddedInputs) << 4, rows, layer.inputs, weights, bias, panel);
      if (!isLast) {
        if (network.isLearning) learnPanel(network, l, column, panel, rows);
        else activatePanel(network.activation, panel, rows);
        panelToQuads(panel, rows, quads, quadBytes);
      }
      panel += panelBytes;
      weights += weightPanelBytes;
      bias += 32;
      quads += 128;
    }
    x = layer.quads;
  }
}

/** δ of layer l − 1 from δ of layer l: (δ·Wᵀ) · g′. */
function propagateBack(network: Network, layer: Layer, below: Layer, rows: i32): void {
  const panelBytes = (<usize>rows) << 5;
  const quadBytes = (<usize>below.paddedOutputs) << 4;
  const transposedPanelBytes = (<usize>layer.paddedOutputs) << 5;
  for (let column = 0; column < below.paddedOutputs; column += 8) {
    const index = <usize>(column >> 3);
    const delta = below.deltaPanels + index * panelBytes;
    const transposed = layer.transposed + index * transposedPanelBytes;
    multiplyPanel(layer.deltaQuads, (<usize>layer.paddedOutputs) << 4, rows, layer.outputs, transposed, ZEROS, delta);
    if (network.isLearning) multiplySlopes(below.slopePanels + index * panelBytes, delta, rows);
    else differentiatePanel(network.activation, below.panels + index * panelBytes, delta, rows);
    panelToQuads(delta, rows, below.deltaQuads + ((<usize>column) << 4), quadBytes);
  }
}

/**
 * Backward pass after `forward`: gradient of the loss for a batch of `count` rows, `rows` with padding. The last layer's
 * δ panels are given. Rows of padding take part in no sum.
 */
export function backward(network: Network, rows: i32, count: i32): void {
  const panelBytes = (<usize>rows) << 5;
  const top = network.last();
  for (let column = 0; column < top.paddedOutputs; column += 8) {
    const panel = top.deltaPanels + <usize>(column >> 3) * panelBytes;
    panelToQuads(panel, rows, top.deltaQuads + ((<usize>column) << 4), (<usize>top.paddedOutputs) << 4);
  }
  for (let l = network.depth - 1; l >= 0; l--) {
    const layer = network.layer(l);
    const x = l == 0 ? network.inputPanels : network.layer(l - 1).panels;
    let delta = layer.deltaPanels;
    let weights = network.gradient + layer.weights;
    let bias = network.gradient + layer.bias;
    for (let column = 0; column < layer.paddedOutputs; column += 8) {
      multiplyTransposedPanel(x, panelBytes, count, layer.inputs, delta, weights);
      sumPanel(delta, count, bias);
      delta += panelBytes;
      weights += (<usize>layer.paddedInputs) << 5;
      bias += 32;
    }
    if (l > 0) propagateBack(network, layer, network.layer(l - 1), rows);
  }
}

/** Brings Wᵀ up to date after W has changed. */
export function refreshTransposed(network: Network): void {
  for (let l = 1; l < network.depth; l++) {
    const layer = network.layer(l);
    const weights = network.parameters + layer.weights;
    transposePanels(weights, layer.paddedInputs, layer.paddedOutputs, layer.transposed);
  }
}
