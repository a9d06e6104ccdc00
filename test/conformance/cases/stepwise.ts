import type { Part, Run } from './case.ts';

/** What trainers of all kernels have in common. */
interface Stepwise {
  readonly done: boolean;
  step(): unknown;
  snapshot(): Uint8Array;
}

/** A trainer's work as a run. */
export function stepwise(trainer: Stepwise, result: () => readonly Part[]): Run {
  return {
    get done() {
      return trainer.done;
    },
    step: () => {
      trainer.step();
    },
    snapshot: () => trainer.snapshot(),
    result,
  };
}
