import { KernelInputError, requireChoice, requireInteger, requireNumber } from '../runtime/index.ts';
import { LIMITS } from './limits.ts';
import { checkSchedule } from './schedule.ts';
import type { CheckedSchedule, Schedule } from './schedule.ts';

/** `gelu` is z·Φ(z) with the exact distribution function Φ (Hendrycks & Gimpel 2016), PyTorch's default. */
export const ACTIVATIONS = ['relu', 'tanh', 'gelu'] as const;
export type Activation = (typeof ACTIVATIONS)[number];

const SOLVERS = ['adam', 'adamw'] as const;
export type Solver = (typeof SOLVERS)[number];

/**
 * Of one row, with y standardised:
 *
 * - `squared_error`: ½·Σ(ŷ − y)² over targets.
 * - `gaussian_nll`: ½·Σ(s + (μ − y)²·e⁻ˢ) over targets, with a mean μ and a log-variance s for each (Nix & Weigend 1994); s is held
 *   within ±16.
 * - `log_loss`: −log of the probability (softmax of the outputs) that the row's class gets.
 */
export const LOSSES = ['squared_error', 'gaussian_nll', 'log_loss'] as const;
export type Loss = (typeof LOSSES)[number];

export interface MlpOptions {
  /** Widths of the hidden layers, input side first. None makes a linear model. */
  readonly hidden: readonly number[];
  /** Of the hidden layers; the output layer is linear. */
  readonly activation: Activation;
  /** Passes over the training rows, at least 1. */
  readonly epochs: number;
  /** Rows of a minibatch; more than there are training rows means all of them. The last batch of an epoch may be smaller. */
  readonly batchSize: number;
  /** Step size α, above 0, which `schedule` may lower. Customary: 0.001. */
  readonly learningRate: number;
  /**
   * λ, by which weights are held small; biases go free. With `adam` an L2 penalty ½·λ·ΣW² that is added to the loss of a batch and
   * to its gradient: training converges to the minimum of loss plus penalty. scikit-learn's `alpha` is λ times the rows of a
   * batch. With `adamw` each step takes off rate·λ of every weight instead.
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
  /**
   * `adam` (Kingma & Ba 2015), the default, or `adamw`, with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2, in
   * PyTorch's form: the decay is multiplied by the rate).
   */
  readonly solver?: Solver;
  /** How the step size changes. Default: constant. */
  readonly schedule?: Schedule;
  /**
   * Probability with which an output of a hidden layer is set to zero in training, from 0, the default, to below 1; the others
   * are divided by 1 − dropout (Srivastava et al. 2014, section 10). Validation and predictions use all units.
   */
  readonly dropout?: number;
  /** What is minimised. Default: `squared_error`. */
  readonly loss?: Loss;
  /**
   * β of β-NLL, from 0, the default, to 1: weighs a row's gradient by σ²ᵝ, so that rows whose noise is thought large are not
   * given up (Seitzer et al. 2022, eq. 5). Above 0 for `gaussian_nll` alone; losses are reported without it.
   */
  readonly beta?: number;
}

/** Options with nothing left out. */
export type CheckedMlpOptions = Omit<Required<MlpOptions>, 'schedule'> & { readonly schedule: CheckedSchedule };

function belowOne(field: string, value: unknown): number {
  const number = requireNumber(field, value, { min: 0, max: 1 });
  if (number === 1) throw new KernelInputError(field, 'a number below 1', 1);
  return number;
}

/** @throws KernelInputError naming the option. */
export function checkOptions(options: MlpOptions): CheckedMlpOptions {
  if (!Array.isArray(options.hidden) || options.hidden.length > LIMITS.hiddenLayers) {
    throw new KernelInputError('hidden', `a list of at most ${LIMITS.hiddenLayers} widths`, options.hidden);
  }
  const hidden = options.hidden.map((width, i) => requireInteger(`hidden[${i}]`, width, { min: 1, max: LIMITS.width }));
  const loss = requireChoice('loss', options.loss ?? 'squared_error', LOSSES);
  return {
    hidden,
    activation: requireChoice('activation', options.activation, ACTIVATIONS),
    epochs: requireInteger('epochs', options.epochs, { min: 1, max: LIMITS.epochs }),
    batchSize: requireInteger('batchSize', options.batchSize, { min: 1 }),
    learningRate: requireNumber('learningRate', options.learningRate, { min: 0, above: true }),
    weightDecay: requireNumber('weightDecay', options.weightDecay, { min: 0 }),
    validationFraction: belowOne('validationFraction', options.validationFraction),
    patience: requireInteger('patience', options.patience, { min: 0 }),
    seed: requireInteger('seed', options.seed, { min: 0 }),
    solver: requireChoice('solver', options.solver ?? 'adam', SOLVERS),
    schedule: checkSchedule(options.schedule),
    dropout: belowOne('dropout', options.dropout ?? 0),
    loss,
    beta: requireNumber('beta', options.beta ?? 0, { min: 0, max: loss === 'gaussian_nll' ? 1 : 0 }),
  };
}
