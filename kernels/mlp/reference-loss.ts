/**
 * Losses of one row in plain f64, with their gradients. Symbols: y target, ŷ outputs, μ mean, s = log σ², p probabilities, δ = ∂loss/∂ŷ.
 */
import type { CheckedMlpOptions } from './options.ts';

export interface RowLoss {
  readonly loss: number;
  readonly delta: Float64Array;
}

/** Bounds of s; see `Loss`. */
const MAX_LOG_VARIANCE = 16;

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? 0;

/** ½·Σ(ŷ − y)² */
function squaredError(outputs: Float64Array, y: Float64Array): RowLoss {
  const delta = outputs.map((output, k) => output - at(y, k));
  return { loss: 0.5 * delta.reduce((sum, d) => sum + d * d, 0), delta };
}

/** Nix & Weigend 1994, eq. 4, up to a constant; δ times σ²ᵝ as in β-NLL (Seitzer et al. 2022). */
function gaussianNll(outputs: Float64Array, y: Float64Array, beta: number): RowLoss {
  const k = y.length;
  const delta = new Float64Array(2 * k);
  let loss = 0;
  for (let i = 0; i < k; i++) {
    const error = at(outputs, i) - at(y, i);
    const raw = at(outputs, k + i);
    const s = Math.min(Math.max(raw, -MAX_LOG_VARIANCE), MAX_LOG_VARIANCE);
    const sigma2 = Math.exp(s);
    loss += 0.5 * (s + (error * error) / sigma2);
    const weight = Math.pow(sigma2, beta);
    const slope = weight * 0.5 * (1 - (error * error) / sigma2);
    delta[i] = (weight * error) / sigma2;
    const leadsOut = (raw > MAX_LOG_VARIANCE && slope < 0) || (raw < -MAX_LOG_VARIANCE && slope > 0);
    delta[k + i] = leadsOut ? 0 : slope;
  }
  return { loss, delta };
}

/** −log p of the class y, p = softmax(ŷ) */
function logLoss(outputs: Float64Array, [label = 0]: Float64Array): RowLoss {
  const largest = Math.max(...outputs);
  const weights = outputs.map((output) => Math.exp(output - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const delta = weights.map((weight, c) => weight / total - (c === label ? 1 : 0));
  return { loss: Math.log(total) + largest - at(outputs, label), delta };
}

export function rowLoss(
  { loss, beta }: Pick<CheckedMlpOptions, 'loss' | 'beta'>,
  outputs: Float64Array,
  y: Float64Array,
): RowLoss {
  switch (loss) {
    case 'squared_error':
      return squaredError(outputs, y);
    case 'gaussian_nll':
      return gaussianNll(outputs, y, beta);
    case 'log_loss':
      return logLoss(outputs, y);
  }
}
