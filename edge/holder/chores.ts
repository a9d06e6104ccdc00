import { reconnectPolicy, retryDelayMs } from '#protocol';
import type { Clock } from '../lib/clock.ts';
import { log } from '../lib/log.ts';

/** Does chores until none is left, one at a time. What fails is begun again after a while. */
export class Chores<Chore> {
  readonly #clock: Clock;
  readonly #next: () => Chore | null;
  readonly #do: (chore: Chore) => Promise<void>;
  #working: Promise<number | null> | null = null;
  #failures = 0;

  constructor(clock: Clock, next: () => Chore | null, carryOut: (chore: Chore) => Promise<void>) {
    this.#clock = clock;
    this.#next = next;
    this.#do = carryOut;
  }

  /** @returns when to come again; null when nothing is left. */
  work(): Promise<number | null> {
    this.#working ??= this.#doAll();
    return this.#working;
  }

  async #doAll(): Promise<number | null> {
    // Whoever calls `work` while it is still to be remembered must find it under way.
    await Promise.resolve();
    try {
      for (let chore = this.#next(); chore !== null; chore = this.#next()) {
        await this.#do(chore);
        this.#failures = 0;
      }
      return null;
    } catch (error) {
      log('warn', 'chore-failed', { error });
      return this.#clock.now() + 50 + retryDelayMs(reconnectPolicy, this.#failures++, this.#clock.random());
    } finally {
      // At once with the last look: what comes after it begins anew.
      this.#working = null;
    }
  }
}
