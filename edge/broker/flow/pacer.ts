import type { Rate } from '#protocol';

/** Timers are about as precise as this: what a rate allows in that time may start at once. */
const burstMs = 20;

/**
 * Exact rate limiting by one number, the generic cell rate algorithm (ITU-T I.371, annex A): starts are spaced evenly, and in no window of
 * the rate’s length are there more than its count. A burst of b starts is paid for by wider spacing, window / (count − b + 1), so that
 * the bound holds for any window, wherever it begins.
 */
export class Pacer {
  readonly #intervalMs: number;
  readonly #toleranceMs: number;
  /** When the next start would come if all came evenly: its distance from now tells what of the burst is used. */
  #dueMs: number;

  /** @param dueMs as `dueMs` was when the pacer was last stored; 0 for one that has not started anything. */
  constructor({ count, windowMs }: Rate, dueMs = 0) {
    const burst = Math.max(1, Math.floor((count * burstMs) / windowMs));
    this.#intervalMs = windowMs / (burst === 1 ? count : count - burst + 1);
    this.#toleranceMs = (burst - 1) * this.#intervalMs;
    this.#dueMs = dueMs;
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  /** Until one may start; 0 for now. */
  waitMs(nowMs: number): number {
    return Math.max(0, Math.ceil(this.#dueMs - this.#toleranceMs - nowMs));
  }

  /** One starts. */
  take(nowMs: number): void {
    this.#dueMs = Math.max(this.#dueMs, nowMs) + this.#intervalMs;
  }

  /** The last one did not start after all. */
  giveBack(): void {
    this.#dueMs -= this.#intervalMs;
  }
}
