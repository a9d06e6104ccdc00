import { KernelInputError } from '../runtime/index.ts';
import type { EpochReport } from './contract.ts';
import type { CheckedMlpOptions } from './options.ts';
import type { Progress } from './snapshot.ts';

/** Whether all epochs are done, or patience has run out. */
export function isDone({ epochs, patience }: CheckedMlpOptions, { epoch, best }: Progress): boolean {
  return epoch >= epochs || (patience > 0 && best !== null && epoch - best.epoch >= patience);
}

/** The loss by which epochs are compared. */
export const watchedLoss = (report: EpochReport): number => report.validationLoss ?? report.trainLoss;

/** What is said of a member whose losses or weights stop being finite. */
export function divergence({ learningRate }: CheckedMlpOptions, epoch: number): KernelInputError {
  const expected = `a step size and a weight decay at which training stays finite (epoch ${epoch} did not)`;
  return new KernelInputError('learningRate', expected, learningRate);
}
