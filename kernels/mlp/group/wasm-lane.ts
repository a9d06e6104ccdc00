import { KernelInputError } from '../../runtime/index.ts';
import type { EpochReport, TrainingSet } from '../contract.ts';
import { MlpTrainer } from '../trainer.ts';
import type { Lane } from './lane.ts';

/** A member as it was at some time, and the epoch that has been told of it since. */
export interface Resumption {
  readonly snapshot: Uint8Array;
  readonly reachedEpoch?: number;
}

/** Members that are trained one after the other. */
export class WasmLane implements Lane {
  readonly #trainers: readonly MlpTrainer[];
  readonly #faults: (KernelInputError | null)[];

  constructor(module: WebAssembly.Module, data: TrainingSet, members: readonly Resumption[]) {
    this.#trainers = members.map(({ snapshot }) => MlpTrainer.resume(module, data, snapshot));
    this.#faults = members.map(() => null);
    members.forEach(({ reachedEpoch = 0 }, k) => {
      while ((this.#trainers[k]?.epoch ?? reachedEpoch) < reachedEpoch && this.#step(k) !== null);
    });
  }

  get size(): number {
    return this.#trainers.length;
  }

  async advance(epochs: number): Promise<EpochReport[][]> {
    return this.#trainers.map((_, k) => {
      const reports: EpochReport[] = [];
      for (let report = this.#step(k); report !== null; report = this.#step(k)) {
        reports.push(report);
        if (reports.length === epochs) break;
      }
      return reports;
    });
  }

  #step(k: number): EpochReport | null {
    const trainer = this.#trainers[k];
    if (trainer === undefined || this.isDone(k)) return null;
    try {
      return trainer.step();
    } catch (error) {
      if (!(error instanceof KernelInputError)) throw error;
      this.#faults[k] = error;
      return null;
    }
  }

  isDone(k: number): boolean {
    return this.fault(k) !== null || (this.#trainers[k]?.done ?? true);
  }

  fault(k: number): KernelInputError | null {
    return this.#faults[k] ?? null;
  }

  async snapshot(k: number): Promise<Uint8Array> {
    return this.checkpoint(k);
  }

  checkpoint(k: number): Uint8Array {
    const trainer = this.#trainers[k];
    if (trainer === undefined) throw new RangeError(`There is no member ${k}.`);
    return trainer.snapshot();
  }

  close(): void {
    // Memory of the instances goes with the trainers.
  }
}
