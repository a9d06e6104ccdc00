import { KernelInputError, requireChoice } from '../runtime/index.ts';
import { checkTable, selectRows } from './contract.ts';
import type { Estimator, Fold, Table } from './contract.ts';
import { accuracy, likeliest, logLoss, r2, rmse } from './scores.ts';

const SCORINGS = ['r2', 'rmse', 'accuracy', 'logLoss'] as const;
/** R² and accuracy are better when higher, the others when lower. Accuracy and log-loss are for classes, the others for numbers. */
export type Scoring = (typeof SCORINGS)[number];

export const higherIsBetter = (scoring: Scoring): boolean => scoring === 'r2' || scoring === 'accuracy';

export interface FoldResult {
  readonly score: number;
  /** What was said of the test rows, one after the other: a number each, or the shares of the classes. */
  readonly predictions: Float64Array;
}

export interface CrossValidation {
  /** Of each fold. */
  readonly scores: number[];
  readonly mean: number;
  /** Population standard deviation over the folds. */
  readonly std: number;
  /** N×K: what was said of each row by the model that had not seen it. */
  readonly predictions: Float64Array;
}

/** Judges what was said of rows. @throws KernelInputError when the score does not fit the table, or R² has one row only. */
export function score(scoring: Scoring, { targets, rows, classes }: Table, predictions: Float64Array): number {
  requireChoice('scoring', scoring, SCORINGS);
  const ofClasses = scoring === 'accuracy' || scoring === 'logLoss';
  if (ofClasses !== (classes !== undefined)) {
    throw new KernelInputError('scoring', classes === undefined ? 'r2 or rmse' : 'accuracy or logLoss', scoring);
  }
  if (scoring === 'r2') return r2(targets, predictions);
  if (scoring === 'rmse') return rmse(targets, predictions);
  requireShares(predictions, rows, classes ?? 0);
  if (scoring === 'logLoss') return logLoss(targets, predictions, classes ?? 0);
  return accuracy(targets, likeliest(predictions, rows, classes ?? 0));
}

function requireShares(predictions: Float64Array, rows: number, classes: number): void {
  if (predictions.length === rows * classes) return;
  throw new KernelInputError('predictions', `${rows} rows of ${classes} shares`, predictions);
}

/** Learns from the training rows of one fold and judges its test rows, so that folds can be worked on in different places. */
export function validateFold(estimator: Estimator, table: Table, fold: Fold, scoring: Scoring): FoldResult {
  const test = selectRows(table, fold.test);
  const predict = estimator.fit(selectRows(table, fold.training));
  const predictions = predict(test.inputs, test.rows);
  return { score: score(scoring, test, predictions), predictions };
}

/** Puts results of folds together; each row must be tested in exactly one of them. */
export function combineFolds(rows: number, folds: readonly Fold[], results: readonly FoldResult[]): CrossValidation {
  if (results.length === 0 || results.length !== folds.length) {
    throw new KernelInputError('results', `${folds.length} results, one for each fold`, results);
  }
  const tested = new Uint8Array(rows);
  const width = (results[0]?.predictions.length ?? 0) / (folds[0]?.test.length ?? 1);
  const predictions = new Float64Array(rows * width);
  folds.forEach(({ test }, i) => {
    const said = results[i]?.predictions ?? new Float64Array(0);
    test.forEach((row, place) => {
      if (row >= rows || tested[row] === 1) throw new KernelInputError(`folds[${i}].test`, 'each row once', row);
      tested[row] = 1;
      predictions.set(said.subarray(place * width, (place + 1) * width), row * width);
    });
  });
  const missing = tested.indexOf(0);
  if (missing !== -1) throw new KernelInputError('folds', 'a test for each row', `none for row ${missing}`);
  const scores = results.map((result) => result.score);
  const mean = scores.reduce((sum, value) => sum + value, 0) / scores.length;
  const variance = scores.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / scores.length;
  return { scores, mean, std: Math.sqrt(variance), predictions };
}

/**
 * Cross-validation: each row is judged once, by a model that learnt from the folds it is not in. Leaving one out has no R² for a
 * fold; take the RMSE, and R² of all `predictions` together.
 *
 * @throws KernelInputError naming what is wrong with the table, the folds or the scoring; and what the estimator throws.
 */
export function crossValidate(
  estimator: Estimator,
  table: Table,
  folds: readonly Fold[],
  scoring: Scoring,
): CrossValidation {
  checkTable(table);
  const results = folds.map((fold) => validateFold(estimator, table, fold, scoring));
  return combineFolds(table.rows, folds, results);
}
