import { distinctRows, numericColumns, parseCsv, rowOf, type NumericTable } from '#kernels/csv';
import type { Kwargs, Result } from '#catalog';
import type { TaskBody } from './body.ts';
import { betweenSteps, invalidInput, within, withFaults } from './faults.ts';
import type { Predictions } from './models/predictor.ts';
import { Rating, spreadNear } from './models/rating.ts';
import { Surrogate } from './models/surrogate.ts';

type Proposal = Result<'score_candidates'>['proposals'][number];

/** The untried rows of a pool. */
interface Candidates {
  /** Numbers of the rows in the file. */
  readonly rows: readonly number[];
  readonly table: NumericTable;
  /** N×D. */
  readonly x: Float64Array;
}

/**
 * Rates all untried rows of a pool and picks the best, one after the other: what is picked lowers the spread around itself, as if its outcome were
 * known, so that a batch does not crowd. Of equal scores the earlier row wins.
 */
export const scoreCandidates: TaskBody<'score_candidates'> = withFaults(async (context, kwargs) => {
  const [surrogate, bytes] = await Promise.all([
    Surrogate.load(context, kwargs.model_path, kwargs.std_scale),
    context.files.read(kwargs.pool),
  ]);
  if (surrogate.inputs.join('\n') !== kwargs.inputs.join('\n')) {
    throw invalidInput('inputs', `expected the model’s inputs, ${surrogate.inputs.join(', ')}`);
  }
  const table = within(kwargs.pool, () => numericColumns(parseCsv(bytes), kwargs.inputs));
  const candidates = untried(table, kwargs.exclude);
  context.progress({ fraction: 0.5, message: `scoring ${candidates.rows.length} candidates` });
  await betweenSteps(context);
  const predictions = surrogate.predict(candidates.x, candidates.rows.length);
  return { proposals: pick(context.kernels, surrogate, candidates, predictions, kwargs) };
});

function untried(table: NumericTable, exclude: readonly number[]): Candidates {
  const { first, kind } = distinctRows(table);
  const tried = new Set(exclude.flatMap((row) => (row < table.rows ? [kind[row]] : [])));
  const rows = first.filter((_, position) => !tried.has(position));
  const x = new Float64Array(rows.length * table.names.length);
  rows.forEach((row, i) => x.set(rowOf(table, row), i * table.names.length));
  return { rows, table, x };
}

function pick(
  kernels: WebAssembly.Module,
  surrogate: Surrogate,
  { rows, table, x }: Candidates,
  predictions: Predictions,
  kwargs: Kwargs<'score_candidates'>,
): Proposal[] {
  const { acquisition, goal, best, scalarizations, count, seed } = kwargs;
  const dimension = table.names.length;
  const unit = unitOf(table);
  const points = rows.map((_, i) => unit(x.subarray(i * dimension, (i + 1) * dimension)));
  const shunned = (kwargs.pending ?? []).map((point, k) => {
    if (point.length !== dimension) throw invalidInput(`pending[${k}]`, `expected ${dimension} numbers`);
    return unit(point);
  });
  const spread = new Float64Array(rows.length).fill(1);
  const shun = (from: readonly ArrayLike<number>[]): void => {
    const near = spreadNear(kernels, from, dimension);
    points.forEach((point, i) => {
      spread[i] = (spread[i] ?? 1) * near(point);
    });
  };
  if (shunned.length > 0) shun(shunned);
  const picked = new Set<number>();
  const proposals: Proposal[] = [];
  for (let slot = 0; slot < Math.min(count, rows.length); slot++) {
    const scalarization = scalarizations?.[slot % scalarizations.length];
    const rating = new Rating(kernels, surrogate, {
      ...{ acquisition, goal, seed, slot, scalarization },
      best: scalarization === undefined ? best : scalarization.best,
    });
    const { mean, std } = rating.reduce(predictions);
    let top = -1;
    let topScore = -Infinity;
    for (let i = 0; i < rows.length; i++) {
      if (picked.has(i)) continue;
      const score = rating.score(mean[i] ?? NaN, std[i] ?? NaN, spread[i] ?? 1);
      if (top >= 0 && !(score > topScore)) continue;
      top = i;
      topScore = score;
    }
    picked.add(top);
    proposals.push({
      row: rows[top] ?? 0,
      inputs: [...x.subarray(top * dimension, (top + 1) * dimension)],
      score: topScore,
      mean: mean[top] ?? NaN,
      std: std[top] ?? NaN,
      prediction: predictionAt(predictions, top, surrogate.targets.length),
    });
    if (slot + 1 < count) shun([points[top] ?? []]);
  }
  return proposals;
}

/** One point’s prediction, one number for each output. */
export function predictionAt({ mean, std }: Predictions, row: number, outputs: number): Proposal['prediction'] {
  return {
    mean: [...mean.subarray(row * outputs, (row + 1) * outputs)],
    std: [...std.subarray(row * outputs, (row + 1) * outputs)],
  };
}

/** Coordinates in which each column of a table goes from 0 to 1; a column that never varies is 0. */
function unitOf(table: NumericTable): (point: ArrayLike<number>) => number[] {
  const lows = table.names.map(() => Infinity);
  const highs = table.names.map(() => -Infinity);
  for (let row = 0; row < table.rows; row++) {
    rowOf(table, row).forEach((value, k) => {
      lows[k] = Math.min(lows[k] ?? value, value);
      highs[k] = Math.max(highs[k] ?? value, value);
    });
  }
  return (point) =>
    lows.map((low, k) => {
      const range = (highs[k] ?? low) - low;
      return range > 0 ? ((point[k] ?? low) - low) / range : 0;
    });
}
