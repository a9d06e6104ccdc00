import type { MathExports } from '../../math/index.ts';
import type { CheckedMlpOptions } from '../options.ts';
import { scheduleFactor } from '../schedule.ts';

const BETA1 = 0.9;
const BETA2 = 0.999;

/**
 * Rates of the steps of some epochs, two numbers each, as train.wgsl reads them: α with Adam's bias corrections, and the part of a
 * weight that decoupled decay leaves. Computed here, in f64: f32 would lose half the digits of 1 − β₂ᵗ at the beginning.
 *
 * @param epoch epochs done before
 * @param batches steps of one epoch
 */
export function stepRates(
  math: MathExports,
  options: CheckedMlpOptions,
  epoch: number,
  epochs: number,
  batches: number,
): number[] {
  const { learningRate, schedule, solver, weightDecay } = options;
  return Array.from({ length: epochs * batches }, (_, index) => {
    const t = epoch * batches + index;
    const alpha = learningRate * scheduleFactor(schedule, math, t, batches, options.epochs);
    const corrected = (alpha * Math.sqrt(1 - math.pow(BETA2, t + 1))) / (1 - math.pow(BETA1, t + 1));
    return [corrected, solver === 'adamw' ? 1 - alpha * weightDecay : 1];
  }).flat();
}

/** λ of the L2 penalty that is part of the gradient. */
export const penaltyOf = ({ solver, weightDecay }: CheckedMlpOptions): number => (solver === 'adam' ? weightDecay : 0);
