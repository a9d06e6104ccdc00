export { kFolds, stratifiedFolds } from './folds.ts';
export { combineFolds, crossValidate, higherIsBetter, score, validateFold } from './cross-validate.ts';
export type { CrossValidation, FoldResult, Scoring } from './cross-validate.ts';
export { permutationImportance } from './permutation.ts';
export type { PermutationImportance } from './permutation.ts';
export { accuracy, likeliest, logLoss, r2, rmse } from './scores.ts';
export type { Estimator, Fold, Predict, Table } from './contract.ts';
