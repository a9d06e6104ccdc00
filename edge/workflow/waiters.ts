import type { Clock } from '../lib/clock.ts';

/** Those who wait for the end. */
export class Waiters {
  readonly #clock: Clock;
  readonly #wakes = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when `wake` is called or the time is over. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#wakes.delete(done);
        resolve();
      };
      this.#wakes.add(done);
      const cancel = this.#clock.setTimer(ms, done);
    });
  }

  wake(): void {
    for (const wake of [...this.#wakes]) wake();
  }
}
