import 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Which schedules of the broker’s simulation are run; see `vitest.config.ts`. */
    simulation: { seed: number; schedules: number; trace: boolean };
    /** How many hostile requests and frames are sent, and which; see `vitest.config.ts`. */
    fuzz: { seed: number; runs: number };
  }
}
