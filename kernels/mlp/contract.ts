import {
  KernelInputError,
  requireChoice,
  requireFiniteArray,
  requireInteger,
  requireNumber,
} from '../runtime/index.ts';

export const ACTIVATIONS = ['relu', 'tanh'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/** Numbers to learn from. At least one row; more inputs than rows are fine. All finite, magnitude up to 1e100. */
export interface TrainingSet {
  /** N×D, row-major. A column without variation keeps the scale 1, so that it says nothing. */
  readonly inputs: Float64Array;
  /** N×K, row-major. */
  readonly targets: Float64Array;
  /** N, at least 1. */
  readonly rows: number;
  /** D, at least 1. */
  readonly dimension: number;
  /** K, at least 1. */
  readonly outputs: number;
}

export interface MlpOptions {
  /** Widths of the hidden layers, input side first. None makes a linear model. */
  readonly hidden: readonly number[];
  /** Of the hidden layers; the output layer is linear. */
  readonly activation: Activation;
  /** Passes over the training rows, at least 1. */
  readonly epochs: number;
  /** Rows of a minibatch; more than there are training rows means all of them. The last batch of an epoch may be smaller. */
  readonly batchSize: number;
  /** Adam's step size α, above 0. Customary: 0.001. */
  readonly learningRate: number;
  /**
   * λ of the penalty ½·λ·ΣW² that is added to the loss of a batch; biases go free. It is an L2 penalty, part of the gradient,
   * not the decoupled decay of AdamW: what training converges to is the minimum of loss plus penalty. scikit-learn's
   * `alpha` is λ times the rows of a batch.
   */
  readonly weightDecay: number;
  /** Share of the rows that is kept aside, rounded down, from 0 to below 1; at least one row is left for training. */
  readonly validationFraction: number;
  /**
   * Epochs without improvement after which training stops; 0 trains for all epochs and keeps the last weights. Above 0 the
   * best weights are kept: those with the least validation loss, or the least training loss without validation rows.
   */
  readonly patience: number;
  /** Of the initial weights, the validation rows and the shuffling: 0 to 2⁵³ − 1. */
  readonly seed: number;
}

export interface EpochReport {
  /** Epochs done so far. */
  readonly epoch: number;
  /** Mean over rows of ½·Σ(ŷ − y)² on standardised targets, each row before its own batch's step; without penalty. */
  readonly trainLoss: number;
  /** The same on the validation rows, after the epoch; absent without such rows. */
  readonly validationLoss?: number;
}

export const LIMITS = {
  hiddenLayers: 16,
  width: 8192,
  parameters: 1 << 26,
  /** Rows of a batch times the widest layer. */
  batchNumbers: 1 << 26,
  epochs: 10_000_000,
  magnitude: 1e100,
} as const;

/**
 * How far the fast version may be from the reference in f64. Rounding differences grow as training goes on: a unit may
 * switch on a step earlier; so weights are compared early and losses later.
 */
export const TOLERANCE = {
  /** Outputs of one forward pass, relative to the largest. */
  output: 2e-6,
  /** Components of one gradient, relative to the largest. */
  gradient: 1e-5,
  /** Training loss after 50 epochs, relative. */
  loss: 1e-3,
} as const;

/** @throws KernelInputError naming the option. */
export function checkOptions(options: MlpOptions): MlpOptions {
  if (!Array.isArray(options.hidden) || options.hidden.length > LIMITS.hiddenLayers) {
    throw new KernelInputError('hidden', `a list of at most ${LIMITS.hiddenLayers} widths`, options.hidden);
  }
  const hidden = options.hidden.map((width, i) => requireInteger(`hidden[${i}]`, width, { min: 1, max: LIMITS.width }));
  const validationFraction = requireNumber('validationFraction', options.validationFraction, { min: 0, max: 1 });
  if (validationFraction === 1) throw new KernelInputError('validationFraction', 'a number below 1', 1);
  return {
    hidden,
    activation: requireChoice('activation', options.activation, ACTIVATIONS),
    epochs: requireInteger('epochs', options.epochs, { min: 1, max: LIMITS.epochs }),
    batchSize: requireInteger('batchSize', options.batchSize, { min: 1 }),
    learningRate: requireNumber('learningRate', options.learningRate, { min: 0, above: true }),
    weightDecay: requireNumber('weightDecay', options.weightDecay, { min: 0 }),
    validationFraction,
    patience: requireInteger('patience', options.patience, { min: 0 }),
    seed: requireInteger('seed', options.seed, { min: 0 }),
  };
}

function checkMatrix(field: string, values: Float64Array, rows: number, columns: number): void {
  requireFiniteArray(field, values, rows * columns);
  const large = values.findIndex((value) => Math.abs(value) > LIMITS.magnitude);
  if (large !== -1) {
    throw new KernelInputError(`${field}[${large}]`, `a magnitude up to ${LIMITS.magnitude}`, values[large]);
  }
}

/** @throws KernelInputError naming the field, and the entry if one is not a number. */
export function checkTrainingSet(data: TrainingSet): TrainingSet {
  requireInteger('rows', data.rows, { min: 1 });
  requireInteger('dimension', data.dimension, { min: 1, max: LIMITS.width });
  requireInteger('outputs', data.outputs, { min: 1, max: LIMITS.width });
  checkMatrix('inputs', data.inputs, data.rows, data.dimension);
  checkMatrix('targets', data.targets, data.rows, data.outputs);
  return data;
}
