import { KernelInputError, requireInteger, requireTable } from '../runtime/index.ts';
import { LIMITS } from './limits.ts';
import type { Loss } from './options.ts';

/** Numbers to learn from. At least one row; more inputs than rows are fine. All finite, magnitude up to 1e100. */
export interface TrainingSet {
  /** N×D, row-major. A column without variation keeps the scale 1, so that it says nothing. */
  readonly inputs: Float64Array;
  /** N×K, row-major. For classification N×1: the index of each row's class, from 0. */
  readonly targets: Float64Array;
  /** N, at least 1. */
  readonly rows: number;
  /** D, at least 1. */
  readonly dimension: number;
  /** K, at least 1; 1 for classification. */
  readonly outputs: number;
  /** Number of classes, at least 2, with the loss `log_loss`; absent with the others. A class may be without rows. */
  readonly classes?: number;
}

export interface EpochReport {
  /** Epochs done so far. */
  readonly epoch: number;
  /**
   * Mean over rows of the loss (see `Loss`), on standardised targets; each row before its own batch's step; with dropout,
   * without penalty. That of `gaussian_nll` may be negative.
   */
  readonly trainLoss: number;
  /** The same on the validation rows, after the epoch; absent without such rows. */
  readonly validationLoss?: number;
}

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

function checkLabels({ targets, outputs, classes }: TrainingSet): void {
  if (outputs !== 1) throw new KernelInputError('outputs', '1 for classification', outputs);
  const count = requireInteger('classes', classes, { min: 2, max: LIMITS.width });
  const wrong = targets.findIndex((label) => !Number.isInteger(label) || label < 0 || label >= count);
  if (wrong !== -1) throw new KernelInputError(`targets[${wrong}]`, `a class from 0 to ${count - 1}`, targets[wrong]);
}

/** @throws KernelInputError naming the field, and the entry if one is not a number, or no class. */
export function checkTrainingSet(data: TrainingSet, loss: Loss): TrainingSet {
  requireInteger('rows', data.rows, { min: 1 });
  requireInteger('dimension', data.dimension, { min: 1, max: LIMITS.width });
  requireInteger('outputs', data.outputs, { min: 1, max: LIMITS.width });
  requireTable('inputs', data.inputs, data.rows, data.dimension);
  requireTable('targets', data.targets, data.rows, data.outputs);
  if (loss === 'log_loss') checkLabels(data);
  else if (data.classes !== undefined) {
    throw new KernelInputError('classes', `nothing with the loss "${loss}"`, data.classes);
  }
  return data;
}

/** Width of the output layer: K; K means, then K log-variances, with `gaussian_nll`; the classes with `log_loss`. */
export function outputWidth({ outputs, classes }: Pick<TrainingSet, 'outputs' | 'classes'>, loss: Loss): number {
  switch (loss) {
    case 'squared_error':
      return outputs;
    case 'gaussian_nll':
      return 2 * outputs;
    case 'log_loss':
      return classes ?? 0;
  }
}
