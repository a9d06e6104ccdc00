import type { KernelInputError } from '../../runtime/index.ts';
import type { EpochReport } from '../contract.ts';

/** Members of a group that are trained together in one place. `k` counts within the lane. */
export interface Lane {
  readonly size: number;
  /**
   * Up to so many further epochs of every member that is not done.
   *
   * @returns each member's reports
   * @throws GpuError when the device is lost or refuses something; the lane is of no more use but for its checkpoint
   */
  advance(epochs: number): Promise<EpochReport[][]>;
  /** Whether member k needs no further epoch. */
  isDone(k: number): boolean;
  /** What ended member k before its time. */
  fault(k: number): KernelInputError | null;
  /** As `MlpTrainer.snapshot`. @throws GpuError */
  snapshot(k: number): Promise<Uint8Array>;
  /** The last snapshot of member k that needs no device. */
  checkpoint(k: number): Uint8Array;
  /** Frees what the lane holds. */
  close(): void;
}
