/**
 * The perceptron in plain f64, to be read and to be compared with. Symbols: x input, y target, ŷ output, W and b weights and
 * biases of a layer, z = a·W + b, a = g(z), δ = ∂loss/∂z, θ all parameters in plain form (see layers.ts).
 */
import { Rng } from '../rng/index.ts';
import { outputWidth } from './contract.ts';
import type { TrainingSet } from './contract.ts';
import { prepare, standardise } from './data.ts';
import { initialParameters, layerShapes } from './layers.ts';
import type { LayerShape } from './layers.ts';
import { checkOptions } from './options.ts';
import type { Activation, CheckedMlpOptions, MlpOptions } from './options.ts';
import { rowLoss } from './reference-loss.ts';
import { scheduleFactor } from './schedule.ts';

/** Adam's constants (Kingma & Ba 2015). */
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;
const FIRST_SHUFFLE_STREAM = 2;
const TWO_32 = 4294967296;

export interface ReferenceNetwork {
  readonly widths: readonly number[];
  readonly activation: Activation;
  readonly theta: Float64Array;
}

export interface ReferenceRow {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** For each hidden layer, what its outputs are multiplied by; nothing without dropout. */
  readonly keep?: readonly Float64Array[];
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? 0;

/** φ and Φ of the normal distribution; Φ by erf's series (Abramowitz & Stegun 1964, 7.1.6). */
const phi = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
function normalCdf(z: number): number {
  if (Math.abs(z) > 8) return z > 0 ? 1 : 0;
  let term = z;
  let sum = 0;
  for (let odd = 1; Math.abs(term) > 1e-18 * Math.abs(sum); odd += 2) {
    sum += term;
    term *= (z * z) / (odd + 2);
  }
  return 0.5 + phi(z) * sum;
}

const g = {
  relu: (z: number): number => Math.max(z, 0),
  tanh: Math.tanh,
  gelu: (z: number): number => z * normalCdf(z),
} as const;
const gPrime = {
  relu: (z: number): number => (z > 0 ? 1 : 0),
  tanh: (z: number): number => 1 - Math.tanh(z) * Math.tanh(z),
  gelu: (z: number): number => normalCdf(z) + z * phi(z),
} as const;

interface Pass {
  /** The input, the outputs of the hidden layers, ŷ. */
  readonly activations: Float64Array[];
  /** ∂a/∂z of the hidden layers. */
  readonly slopes: Float64Array[];
}

function pass(
  { widths, activation, theta }: ReferenceNetwork,
  x: ArrayLike<number>,
  keep?: ReferenceRow['keep'],
): Pass {
  const activations = [Float64Array.from(x)];
  const slopes: Float64Array[] = [];
  for (const [index, { inputs, outputs, weights, bias, isLast }] of layerShapes(widths).entries()) {
    const a = activations.at(-1) ?? x;
    const z = new Float64Array(outputs);
    for (let j = 0; j < outputs; j++) {
      let sum = at(theta, bias + j);
      for (let i = 0; i < inputs; i++) sum += at(a, i) * at(theta, weights + i * outputs + j);
      z[j] = sum;
    }
    const factor = (j: number): number => keep?.[index]?.[j] ?? 1;
    if (!isLast) slopes.push(z.map((value, j) => gPrime[activation](value) * factor(j)));
    activations.push(isLast ? z : z.map((value, j) => g[activation](value) * factor(j)));
  }
  return { activations, slopes };
}

/** Activations of one row: the input, the hidden layers, ŷ. */
export function forward(network: ReferenceNetwork, x: ArrayLike<number>): Float64Array[] {
  return pass(network, x).activations;
}

/** δ of the layer below: (W·δ) · g′. */
function backThrough(
  network: ReferenceNetwork,
  layer: LayerShape,
  slopes: Float64Array,
  delta: Float64Array,
): Float64Array<ArrayBuffer> {
  return Float64Array.from(slopes, (slope, i) => {
    let sum = 0;
    for (let j = 0; j < layer.outputs; j++)
      sum += at(network.theta, layer.weights + i * layer.outputs + j) * at(delta, j);
    return sum * slope;
  });
}

type LossOptions = Pick<CheckedMlpOptions, 'loss' | 'beta'>;
const SQUARED_ERROR: LossOptions = { loss: 'squared_error', beta: 0 };

/** Adds one row's loss/B to the gradient; gives the loss. */
function addRow(
  network: ReferenceNetwork,
  { x, y, keep }: ReferenceRow,
  batch: number,
  options: LossOptions,
  gradient: Float64Array,
): number {
  const layers = layerShapes(network.widths);
  const { activations, slopes } = pass(network, x, keep);
  const { loss, delta: top } = rowLoss(options, activations.at(-1) ?? y, y);
  let delta = top.map((d) => d / batch);
  for (const [index, layer] of [...layers.entries()].reverse()) {
    const a = activations[index] ?? x;
    for (let j = 0; j < layer.outputs; j++) {
      gradient[layer.bias + j] = at(gradient, layer.bias + j) + at(delta, j);
      for (let i = 0; i < layer.inputs; i++) {
        const place = layer.weights + i * layer.outputs + j;
        gradient[place] = at(gradient, place) + at(a, i) * at(delta, j);
      }
    }
    const below = slopes[index - 1];
    if (below) delta = backThrough(network, layer, below, delta);
  }
  return loss;
}

/** Objective of a batch, mean over rows of the loss plus ½·λ·ΣW², and its gradient. */
export function objective(
  network: ReferenceNetwork,
  rows: readonly ReferenceRow[],
  lambda: number,
  options = SQUARED_ERROR,
): { loss: number; penalty: number; gradient: Float64Array } {
  const gradient = new Float64Array(network.theta.length);
  let loss = 0;
  for (const row of rows) loss += addRow(network, row, rows.length, options, gradient) / rows.length;
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

/** Decoupled decay of the weights (Loshchilov & Hutter 2019, algorithm 2), to be done before Adam's step. */
export function decay(network: ReferenceNetwork, share: number): void {
  for (const { weights, bias } of layerShapes(network.widths)) {
    for (let i = weights; i < bias; i++) network.theta[i] = at(network.theta, i) * (1 - share);
  }
}

/**
 * What the outputs of hidden layer `layer` are multiplied by for the row in place `place` of the epoch's order: 0 with the
 * probability `dropout`, else 1/(1 − dropout). One random word for each unit; see dropout.as.ts for its position.
 */
export function dropoutFactors(
  { seed, dropout }: Pick<CheckedMlpOptions, 'seed' | 'dropout'>,
  epoch: number,
  layer: number,
  place: number,
  width: number,
): Float64Array {
  const position = place * 8 * Math.ceil(width / 8);
  const rng = Rng.restore({ seed, stream: TWO_32 * (1 + layer) + epoch, position });
  const bound = Math.floor(dropout * TWO_32);
  return Float64Array.from({ length: width }, () => (rng.uint32() < bound ? 0 : 1 / (1 - dropout)));
}

export interface ReferenceTraining {
  readonly network: ReferenceNetwork;
  readonly trainLosses: number[];
  readonly validationLosses: number[];
}

/** Standardised rows of a training set. */
export function standardisedRows(data: TrainingSet, options: CheckedMlpOptions): (row: number) => ReferenceRow {
  const { inputs, targets } = prepare(data, options);
  const x = new Float64Array(data.inputs.length);
  const y = new Float64Array(data.targets.length);
  standardise(data.inputs, inputs, x, data.dimension);
  standardise(data.targets, targets, y, data.outputs);
  return (row) => ({
    x: x.subarray(row * data.dimension, (row + 1) * data.dimension),
    y: y.subarray(row * data.outputs, (row + 1) * data.outputs),
  });
}

/** Training of `options.epochs` epochs, without early stopping; the weights are those after the last. */
export function train(data: TrainingSet, given: MlpOptions): ReferenceTraining {
  const options = checkOptions(given);
  const { split } = prepare(data, options);
  const pick = standardisedRows(data, options);
  const { hidden, batchSize, dropout, weightDecay: lambda, solver, schedule, epochs } = options;
  const widths = [data.dimension, ...hidden, outputWidth(data, options.loss)];
  const theta = Float64Array.from(initialParameters(widths, options.activation, options.seed));
  const network = { widths, activation: options.activation, theta };
  const adam = { m: new Float64Array(theta.length), v: new Float64Array(theta.length), t: 0 };
  const steps = Math.ceil(split.training.length / batchSize);
  const held = [...split.validation].map(pick);
  const trainLosses: number[] = [];
  const validationLosses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = split.training.slice();
    new Rng(options.seed, FIRST_SHUFFLE_STREAM + epoch).shuffle(order);
    const factors = (place: number): Float64Array[] =>
      hidden.map((width, layer) => dropoutFactors(options, epoch, layer, place, width));
    const rows = [...order].map((row, place) => ({ ...pick(row), ...(dropout > 0 && { keep: factors(place) }) }));
    let sum = 0;
    for (let from = 0; from < rows.length; from += batchSize) {
      const batch = rows.slice(from, from + batchSize);
      const alpha = options.learningRate * scheduleFactor(schedule, Math, adam.t, steps, epochs);
      const { loss, gradient } = objective(network, batch, solver === 'adam' ? lambda : 0, options);
      sum += loss * batch.length;
      if (solver === 'adamw') decay(network, alpha * lambda);
      adamStep(theta, gradient, adam, alpha);
    }
    trainLosses.push(sum / order.length);
    if (held.length > 0) validationLosses.push(objective(network, held, 0, options).loss);
  }
  return { network, trainLosses, validationLosses };
}
