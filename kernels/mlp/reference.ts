/**
 * The perceptron in plain f64, to be read and to be compared with. Symbols: x input, y target, ŷ output, W and b weights and
 * biases of a layer, z = a·W + b, a = g(z), δ = ∂loss/∂z, θ all parameters in plain form (see layers.ts).
 */
import { Rng } from '../rng/index.ts';
import type { TrainingSet } from './contract.ts';
import type { Activation, MlpOptions } from './options.ts';
import { prepare, standardise } from './data.ts';
import { initialParameters, layerShapes } from './layers.ts';
import type { LayerShape } from './layers.ts';

/** Adam's constants (Kingma & Ba 2015). */
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;
const FIRST_SHUFFLE_STREAM = 2;

export interface ReferenceNetwork {
  readonly widths: readonly number[];
  readonly activation: Activation;
  readonly theta: Float64Array;
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? 0;
const g = (activation: Activation, z: number): number => (activation === 'relu' ? Math.max(z, 0) : Math.tanh(z));
/** g′ as a function of a = g(z). */
const gPrime = (activation: Activation, a: number): number => (activation === 'relu' ? (a > 0 ? 1 : 0) : 1 - a * a);

/** Activations of one row: the input, the hidden layers, ŷ. */
export function forward({ widths, activation, theta }: ReferenceNetwork, x: ArrayLike<number>): Float64Array[] {
  const activations = [Float64Array.from(x)];
  for (const { inputs, outputs, weights, bias, isLast } of layerShapes(widths)) {
    const a = activations.at(-1) ?? x;
    const next = new Float64Array(outputs);
    for (let j = 0; j < outputs; j++) {
      let z = at(theta, bias + j);
      for (let i = 0; i < inputs; i++) z += at(a, i) * at(theta, weights + i * outputs + j);
      next[j] = isLast ? z : g(activation, z);
    }
    activations.push(next);
  }
  return activations;
}

/** δ of the layer below: (W·δ) · g′. */
function backThrough(
  network: ReferenceNetwork,
  layer: LayerShape,
  a: Float64Array,
  delta: Float64Array,
): Float64Array<ArrayBuffer> {
  return Float64Array.from(a, (value, i) => {
    let sum = 0;
    for (let j = 0; j < layer.outputs; j++)
      sum += at(network.theta, layer.weights + i * layer.outputs + j) * at(delta, j);
    return sum * gPrime(network.activation, value);
  });
}

/** Adds one row's ½·Σ(ŷ − y)²/B to the gradient; gives ½·Σ(ŷ − y)². */
function addRow(
  network: ReferenceNetwork,
  x: Float64Array,
  y: Float64Array,
  batch: number,
  gradient: Float64Array,
): number {
  const layers = layerShapes(network.widths);
  const activations = forward(network, x);
  let delta = (activations.at(-1) ?? y).map((output, k) => (output - at(y, k)) / batch);
  const loss = 0.5 * delta.reduce((sum, d) => sum + d * batch * (d * batch), 0);
  for (const [index, layer] of [...layers.entries()].reverse()) {
    const a = activations[index] ?? x;
    for (let j = 0; j < layer.outputs; j++) {
      gradient[layer.bias + j] = at(gradient, layer.bias + j) + at(delta, j);
      for (let i = 0; i < layer.inputs; i++) {
        const place = layer.weights + i * layer.outputs + j;
        gradient[place] = at(gradient, place) + at(a, i) * at(delta, j);
      }
    }
    delta = backThrough(network, layer, a, delta);
  }
  return loss;
}

/** Objective of a batch, mean over rows of ½·Σ(ŷ − y)² plus ½·λ·ΣW², and its gradient. */
export function objective(
  network: ReferenceNetwork,
  rows: readonly { readonly x: Float64Array; readonly y: Float64Array }[],
  lambda: number,
): { loss: number; penalty: number; gradient: Float64Array } {
  const gradient = new Float64Array(network.theta.length);
  let loss = 0;
  for (const { x, y } of rows) loss += addRow(network, x, y, rows.length, gradient) / rows.length;
  let penalty = 0;
  for (const { weights, bias } of layerShapes(network.widths)) {
    for (let i = weights; i < bias; i++) {
      const w = at(network.theta, i);
      penalty += 0.5 * lambda * w * w;
      gradient[i] = at(gradient, i) + lambda * w;
    }
  }
  return { loss, penalty, gradient };
}

/** Adam's state: first and second moment, steps done. */
export interface AdamState {
  readonly m: Float64Array;
  readonly v: Float64Array;
  t: number;
}

/** Algorithm 1 of Kingma & Ba in the form at the end of its section 2, with ε̂ = 1e-8, as scikit-learn has it. */
export function adamStep(theta: Float64Array, gradient: Float64Array, state: AdamState, alpha: number): void {
  state.t += 1;
  const alphaT = (alpha * Math.sqrt(1 - Math.pow(BETA2, state.t))) / (1 - Math.pow(BETA1, state.t));
  gradient.forEach((gt, i) => {
    const m = BETA1 * at(state.m, i) + (1 - BETA1) * gt;
    const v = BETA2 * at(state.v, i) + (1 - BETA2) * gt * gt;
    state.m[i] = m;
    state.v[i] = v;
    theta[i] = at(theta, i) - (alphaT * m) / (Math.sqrt(v) + EPSILON);
  });
}

export interface ReferenceTraining {
  readonly network: ReferenceNetwork;
  readonly trainLosses: number[];
  readonly validationLosses: number[];
}

/** Training of `options.epochs` epochs, without early stopping; the weights are those after the last. */
export function train(data: TrainingSet, options: MlpOptions): ReferenceTraining {
  const { split, inputs, targets } = prepare(data, options);
  const x = new Float64Array(data.inputs.length);
  const y = new Float64Array(data.targets.length);
  standardise(data.inputs, inputs, x, data.dimension);
  standardise(data.targets, targets, y, data.outputs);
  const pick = (row: number): { x: Float64Array; y: Float64Array } => ({
    x: x.subarray(row * data.dimension, (row + 1) * data.dimension),
    y: y.subarray(row * data.outputs, (row + 1) * data.outputs),
  });
  const widths = [data.dimension, ...options.hidden, data.outputs];
  const theta = Float64Array.from(initialParameters(widths, options.activation, options.seed));
  const network = { widths, activation: options.activation, theta };
  const adam = { m: new Float64Array(theta.length), v: new Float64Array(theta.length), t: 0 };
  const held = [...split.validation].map(pick);
  const trainLosses: number[] = [];
  const validationLosses: number[] = [];
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    const order = split.training.slice();
    new Rng(options.seed, FIRST_SHUFFLE_STREAM + epoch).shuffle(order);
    let sum = 0;
    for (let from = 0; from < order.length; from += options.batchSize) {
      const batch = [...order.subarray(from, from + options.batchSize)].map(pick);
      const { loss, gradient } = objective(network, batch, options.weightDecay);
      sum += loss * batch.length;
      adamStep(theta, gradient, adam, options.learningRate);
    }
    trainLosses.push(sum / order.length);
    if (held.length > 0) validationLosses.push(objective(network, held, 0).loss);
  }
  return { network, trainLosses, validationLosses };
}
