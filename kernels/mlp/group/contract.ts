import type { EpochReport } from '../contract.ts';

/** Where a member is trained, and why there. */
export interface Placement {
  readonly backend: 'webgpu' | 'wasm';
  /** A sentence: the adapter's name, or what keeps the member from it. */
  readonly reason: string;
}

/** What one member did in one epoch. */
export interface MemberReport extends EpochReport {
  /** Index of the member. */
  readonly member: number;
}

/**
 * How far training on a GPU may be from training in WASM. GPUs add in another order, and may fuse and reorder; from then on
 * rounding differences grow as they do between WASM and its reference.
 */
export const GROUP_TOLERANCE = {
  /** Loss of the first epoch, relative. */
  firstLoss: 1e-4,
  /** Losses of the first 50 epochs, relative to the larger of the loss and 0.01 (losses are of standardised targets). */
  loss: 2e-2,
  /** Predictions of the same model, relative to the scale of the outputs. */
  output: 1e-5,
} as const;
