import {
  accuracy,
  kFolds,
  likeliest,
  logLoss,
  r2,
  rmse,
  stratifiedFolds,
  type Fold,
} from '../../../kernels/validation/index.ts';
import type { KernelCases, Part } from './case.ts';
import { uniform } from './data.ts';

const ROWS = 120;
const labels = uniform(ROWS, 0, 3, 1).map(Math.floor);
const predictions = uniform(ROWS, 0, 3, 2);
const shares = uniform(3 * ROWS, 0.01, 0.99, 3);

const parts = (folds: readonly Fold[]): Part[] => folds.flatMap(({ training, test }) => [training, test]);

export const validationCases: KernelCases = {
  folds: () => [...parts(kFolds(ROWS, 7, 4)), ...parts(stratifiedFolds(labels, 5, 4))],
  scores: () => {
    const classes = likeliest(shares, ROWS, 3);
    const scores = [r2(labels, predictions), rmse(labels, predictions), accuracy(labels, classes)];
    return [classes, [...scores, logLoss(labels, shares, 3)]];
  },
};
