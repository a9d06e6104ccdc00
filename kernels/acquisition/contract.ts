import { requireChoice, requireNumber } from '../runtime/index.ts';

/**
 * How a candidate is rated by what a model predicts for it.
 *
 * `ei` logarithm of the expected improvement, `ucb` mean + κ·std, `pi` logarithm of the probability of improvement, `mean` the mean alone,
 * `thompson` the prediction of one member of the ensemble (the caller gives it as mean).
 */
export type AcquisitionKind = 'ei' | 'ucb' | 'pi' | 'thompson' | 'mean';

export interface AcquisitionOptions {
  readonly kind: AcquisitionKind;
  /** Whether the objective is maximised or minimised. Scores are always maximised. */
  readonly goal: 'max' | 'min';
  /** κ of `ucb`; default 1. */
  readonly kappa?: number | undefined;
  /** ξ of `ei` and `pi`: the improvement that counts, in units of the objective; default 0. */
  readonly xi?: number | undefined;
  /** The best value so far; `ei` and `pi` need it. */
  readonly best?: number | undefined;
}

export const DEFAULT_KAPPA = 1;

/** Largest relative error of `logExpectedImprovement` against 50-digit arithmetic, for −1e6 ≤ z ≤ 1e6. */
export const LOG_EI_TOLERANCE = 1e-12;

export interface CheckedOptions {
  readonly kind: AcquisitionKind;
  /** +1 where the objective is maximised, −1 where it is minimised. */
  readonly sign: 1 | -1;
  readonly kappa: number;
  readonly xi: number;
  /** Best value so far times the sign. */
  readonly best: number;
}

/** @throws KernelInputError naming the option that does not fit; `best` when `ei` or `pi` lacks it. */
export function checkOptions(options: AcquisitionOptions): CheckedOptions {
  const kind = requireChoice('acquisition.kind', options.kind, ['ei', 'ucb', 'pi', 'thompson', 'mean']);
  const sign = requireChoice('goal', options.goal, ['max', 'min']) === 'max' ? 1 : -1;
  const needsBest = kind === 'ei' || kind === 'pi';
  return {
    kind,
    sign,
    kappa: requireNumber('acquisition.kappa', options.kappa ?? DEFAULT_KAPPA, { min: 0 }),
    xi: requireNumber('acquisition.xi', options.xi ?? 0, { min: 0 }),
    best: needsBest ? sign * requireNumber('best', options.best) : 0,
  };
}
