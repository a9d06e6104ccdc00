import { math, type MathExports } from '#kernels';
import {
  conformalCoverage,
  conformalFactor,
  gaussianScores,
  othersScales2,
  stdScale,
  type GaussianScores,
} from '#kernels/calibration';
import { instantiate } from '#kernels/runtime';
import type { Result } from '#catalog';
import type { TrainingSet } from './data.ts';
import type { Predictor } from './predictor.ts';

/** A spread below this share of a target’s deviation is rounding. */
const smallestShare = 1e-9;

type Calibration = NonNullable<Result<'train_surrogate'>['calibration']> | null;

export interface Validation {
  readonly report: Result<'train_surrogate'>['validation'];
  readonly stdScale: number[];
  readonly calibration: Calibration;
}

/** Shares of values that intervals shall hold, in per cent. */
const levels = [50, 90, 95] as const;
type ByLevel<T> = Record<(typeof levels)[number], T>;
const byLevel = <T>(value: (level: (typeof levels)[number]) => T): ByLevel<T> => ({
  50: value(50),
  90: value(90),
  95: value(95),
});

/** Of one target on the held-out rows. */
interface TargetReport {
  readonly squares: number;
  readonly r2: number | null;
  /** Null without a spread, or with a single row. */
  readonly spread: SpreadReport | null;
}

interface SpreadReport extends GaussianScores {
  readonly stdScale: number;
  readonly conformal: { readonly factors: ByLevel<number>; readonly coverage: ByLevel<number> };
}

/**
 * What a model is worth on rows that it has not learnt from. Over several targets `rmse` is that of all values together, the others are means.
 *
 * `std_scale` makes the mean square of (error / spread) 1; negative log-likelihood and coverage use for each row the scale that the other rows
 * give, so that they do not judge what they were fitted to. They need a spread (two members, or a learnt noise) and two rows.
 */
export function validate(kernels: WebAssembly.Module, predictor: Predictor, heldOut: TrainingSet): Validation {
  const { rows, outputs } = heldOut;
  if (rows === 0) return { report: null, stdScale: Array.from({ length: outputs }, () => 1), calibration: null };
  const { mean, std } = predictor.predict(heldOut.inputs, rows);
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
      nll: average(each.map(({ spread }) => spread?.nll ?? null)),
      coverage_90: average(each.map(({ spread }) => spread?.coverage[90] ?? null)),
    },
    stdScale: each.map(({ spread }) => spread?.stdScale ?? 1),
    calibration: calibrationOf(each.map(({ spread }) => spread)),
  };
}

function calibrationOf(each: readonly (SpreadReport | null)[]): Calibration {
  const known = each.filter((report) => report !== null);
  if (known.length < each.length) return null;
  const mean = (value: (report: SpreadReport) => number): number =>
    known.reduce((sum, report) => sum + value(report), 0) / known.length;
  return {
    std_scale: known.map((report) => report.stdScale),
    crps: mean(({ crps }) => crps),
    coverage: byLevel((level) => mean(({ coverage }) => coverage[level])),
    conformal: {
      factors: byLevel((level) =>
        known.map(({ conformal }) => (conformal.factors[level] === Infinity ? null : conformal.factors[level])),
      ),
      coverage: byLevel((level) => mean(({ conformal }) => conformal.coverage[level])),
    },
  };
}

function judge(functions: MathExports, y: Float64Array, mean: Float64Array, std: Float64Array): TargetReport {
  const n = y.length;
  const total = sumOf(y);
  const squares = sumOf(y.map((value, i) => (value - (mean[i] ?? 0)) * (value - (mean[i] ?? 0))));
  const variation = sumOf(y.map((value) => (value - total / n) * (value - total / n)));
  const r2 = n < 2 || variation === 0 ? null : 1 - squares / variation;
  const hasSpread = std.some((spread) => spread > 0);
  if (!hasSpread || n < 2) return { squares, r2, spread: null };
  const floor = smallestShare * (Math.sqrt(variation / n) || 1);
  const predictions = { mean, std: std.map((spread) => Math.max(spread, floor)), y };
  const scale = stdScale(predictions);
  const calibrated = { ...predictions, std: predictions.std.map((spread) => scale * spread) };
  const conformal = {
    factors: byLevel((level) => conformalFactor(calibrated, level / 100)),
    coverage: byLevel((level) => conformalCoverage(calibrated, level / 100)),
  };
  const scores = gaussianScores(functions, predictions, othersScales2(predictions));
  return { squares, r2, spread: { ...scores, stdScale: scale, conformal } };
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
