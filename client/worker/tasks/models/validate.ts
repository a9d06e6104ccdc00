import { math, type MathExports } from '#kernels';
import { MlpPredictor, type MlpModel, type TrainingSet } from '#kernels/mlp';
import { instantiate } from '#kernels/runtime';
import type { Result } from '#catalog';

/** Half the width of a central 90 % interval of the normal distribution, in standard deviations. */
const z90 = 1.6448536269514722;
const halfLog2Pi = 0.9189385332046728;
/** A spread below this share of a target’s deviation is rounding. */
const smallestShare = 1e-9;

export interface Validation {
  readonly report: Result<'train_surrogate'>['validation'];
  readonly stdScale: number[];
}

/** Of one target on the held-out rows. */
interface TargetReport {
  readonly squares: number;
  readonly r2: number | null;
  readonly nll: number | null;
  readonly coverage: number | null;
  readonly stdScale: number;
}

/**
 * What an ensemble is worth on rows that it has not learnt from. Over several targets `rmse` is that of all values together, the others are means.
 *
 * `std_scale` makes the mean square of (error / spread) 1; negative log-likelihood and coverage use for each row the scale that the other rows
 * give, so that they do not judge what they were fitted to. They need two members and two rows.
 */
export function validate(kernels: WebAssembly.Module, members: readonly MlpModel[], heldOut: TrainingSet): Validation {
  const { rows, outputs } = heldOut;
  if (rows === 0) return { report: null, stdScale: Array.from({ length: outputs }, () => 1) };
  const { mean, std } = new MlpPredictor(kernels, members).predict(heldOut.inputs, rows);
  const functions = math(instantiate(kernels));
  const column = (table: Float64Array, k: number): Float64Array =>
    Float64Array.from({ length: rows }, (_, row) => table[row * outputs + k] ?? NaN);
  const each = Array.from({ length: outputs }, (_, k) =>
    judge(functions, column(heldOut.targets, k), column(mean, k), column(std, k)),
  );
  const squares = each.reduce((sum, target) => sum + target.squares, 0);
  return {
    report: {
      rmse: Math.sqrt(squares / (rows * outputs)),
      r2: average(each.map(({ r2 }) => r2)),
      nll: average(each.map(({ nll }) => nll)),
      coverage_90: average(each.map(({ coverage }) => coverage)),
    },
    stdScale: each.map(({ stdScale }) => stdScale),
  };
}

function judge(functions: MathExports, values: Float64Array, mean: Float64Array, std: Float64Array): TargetReport {
  const n = values.length;
  const total = sumOf(values);
  const errors = values.map((value, i) => value - (mean[i] ?? 0));
  const squares = sumOf(errors.map((error) => error * error));
  const variation = sumOf(values.map((value) => (value - total / n) * (value - total / n)));
  const r2 = n < 2 || variation === 0 ? null : 1 - squares / variation;
  const hasSpread = std.some((spread) => spread > 0);
  if (!hasSpread || n < 2) return { squares, r2, nll: null, coverage: null, stdScale: 1 };
  const floor = smallestShare * (Math.sqrt(variation / n) || 1);
  const z2 = errors.map((error, i) => (error * error) / Math.max(std[i] ?? 0, floor) / Math.max(std[i] ?? 0, floor));
  const z2Sum = sumOf(z2);
  let nll = 0;
  let covered = 0;
  for (let i = 0; i < n; i++) {
    const othersScale2 = Math.max((z2Sum - (z2[i] ?? 0)) / (n - 1), smallestShare);
    const scaled = (z2[i] ?? 0) / othersScale2;
    nll += 0.5 * scaled + functions.log(Math.max(std[i] ?? 0, floor) * Math.sqrt(othersScale2)) + halfLog2Pi;
    if (scaled <= z90 * z90) covered++;
  }
  return { squares, r2, nll: nll / n, coverage: covered / n, stdScale: Math.sqrt(Math.max(z2Sum / n, smallestShare)) };
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Null when one of them is. */
function average(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}
