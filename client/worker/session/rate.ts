import type { Rate } from '#protocol';

/** Bursts hold what a rate allows in this time, so that a high rate does not depend on the timers’ precision. */
const burstMs = 100;

/** A token bucket. */
export class RateLimiter {
  #rate: Rate | null = null;
  #tokens = 0;
  #refilledAtMs: number | null = null;

  set(rate: Rate | null): void {
    this.#rate = rate;
    this.#tokens = 1;
    this.#refilledAtMs = null;
  }

  /** Takes one start; 0 when it may begin now, else the milliseconds to wait before asking again. */
  take(nowMs: number): number {
    const waitMs = this.waitMs(nowMs);
    if (waitMs === 0) this.#tokens -= 1;
    return waitMs;
  }

  /** What `take` would answer, taking nothing. */
  waitMs(nowMs: number): number {
    if (this.#rate === null) return 0;
    const perMs = this.#rate.count / this.#rate.windowMs;
    const burst = Math.max(1, perMs * burstMs);
    const passedMs = Math.max(0, nowMs - (this.#refilledAtMs ?? nowMs));
    this.#tokens = Math.min(burst, this.#tokens + passedMs * perMs);
    this.#refilledAtMs = nowMs;
    // Many small refills may sum to a hair less than one.
    if (this.#tokens >= 1 - 1e-9) return 0;
    return Math.ceil((1 - this.#tokens) / perMs);
  }
}
