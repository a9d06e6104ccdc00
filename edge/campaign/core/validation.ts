import type { CampaignSpec, JsonObject } from '#protocol';
import { naturalLog } from '#kernels/rng';
import { predictedOf, type Predicted } from './calibrate.ts';
import type { Candidate } from './types.ts';

/** How many of the newest predictions are judged. */
const windowCount = 50;
/** Half the width of a central 90 % interval of the normal distribution, in standard deviations. */
const z90 = 1.6448536269514722;
const halfLog2Pi = 0.9189385332046728;

interface Judged {
  readonly mean: number;
  readonly std: number;
  readonly value: number;
}

/**
 * How good the surrogate’s predictions have been: each was made before its candidate was evaluated, by a model that had not seen it (prequential
 * validation), for the newest `window` of them. They are predictions where the search wanted to go, which is harder than at random points.
 *
 * `rmse` and `r2` judge the means; `nll` (per prediction, natural logarithm) and `coverage_90` (share inside the central 90 % interval) judge
 * mean and standard deviation together, the latter as it was at the time, calibrated by earlier outcomes alone.
 *
 * @returns null before the first predicted candidate has a value.
 */
export function prequential({ objectives }: CampaignSpec, candidates: readonly Candidate[]): JsonObject | null {
  const predicted = predictedOf(candidates);
  if (predicted.length === 0) return null;
  const each = objectives.map((_, k) => judge(predicted.map((candidate) => judgedOf(candidate, k))));
  const all = { method: 'prequential', window: windowCount, ...each[0] };
  if (objectives.length === 1) return all;
  return { ...all, objectives: Object.fromEntries(objectives.map(({ name }, k) => [name, each[k] ?? null])) };
}

function judgedOf({ prediction, outcome }: Predicted, k: number): Judged {
  return { mean: prediction.mean[k] ?? NaN, std: prediction.std[k] ?? NaN, value: outcome.values[k] ?? NaN };
}

function judge(all: readonly Judged[]): JsonObject {
  const newest = all.slice(-windowCount);
  const spread = deviation(newest.map(({ value }) => value));
  let squares = 0;
  let nll = 0;
  let covered = 0;
  for (const { mean, std, value } of newest) {
    const error = value - mean;
    squares += error * error;
    const scaled = Math.max(std, 1e-9 * (Math.abs(value) || 1));
    const z = error / scaled;
    nll += 0.5 * z * z + naturalLog(scaled) + halfLog2Pi;
    if (Math.abs(z) <= z90) covered++;
  }
  const n = newest.length;
  return {
    n,
    rmse: Math.sqrt(squares / n),
    r2: n < 3 || spread === 0 ? null : 1 - squares / n / (spread * spread),
    nll: nll / n,
    coverage_90: covered / n,
  };
}

/** Population standard deviation. */
function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / values.length);
}
