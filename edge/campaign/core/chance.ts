import { Rng } from '#kernels/rng';

/** What chance decides in a campaign. Each has streams of its own, so that none shifts when another draws more. */
const purposes = { initial: 1, random: 2, train: 3, score: 4, search: 5, start: 6, weights: 7 } as const;
export type Purpose = keyof typeof purposes;

const iterationStride = 1_048_576;
const purposeStride = 1_048_576 * 16_777_216;
const two21 = 2_097_152;

/** Randomness that is a function of the campaign’s seed, what it is for, and where in the campaign: never of when or by whom it is drawn. */
export function chance(seed: number, purpose: Purpose, iteration: number, index = 0): Rng {
  return new Rng(seed, purposes[purpose] * purposeStride + iteration * iterationStride + index);
}

/** A seed for a task: a whole number below 2⁵³. */
export function taskSeed(seed: number, purpose: Purpose, iteration: number, index = 0): number {
  const rng = chance(seed, purpose, iteration, index);
  return rng.uint32() * two21 + (rng.uint32() >>> 11);
}
