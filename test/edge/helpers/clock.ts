import type { Clock } from '../../../edge/lib/clock.ts';

interface Timer {
  dueMs: number;
  run: () => void;
}

/** Time that passes only when a test says so. It starts at the real time, and timers of 0 ms run at once, as real ones do. */
export class FakeClock implements Clock {
  #nowMs: number;
  /** What `random` answers. */
  chance = 0.5;
  readonly #timers = new Set<Timer>();

  constructor(nowMs = Date.now()) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  random(): number {
    return this.chance;
  }

  randomBytes(count: number): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(count));
  }

  setTimer(ms: number, run: () => void): () => void {
    if (ms === 0) {
      const handle = setTimeout(run, 0);
      return () => clearTimeout(handle);
    }
    const timer = { dueMs: this.#nowMs + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Whoever set them is no more. */
  dropTimers(): void {
    this.#timers.clear();
  }

  /** Lets time pass and runs the timers that are due. Call it inside the object that set them. */
  advance(ms: number): void {
    this.#nowMs += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)) {
      if (timer.dueMs <= this.#nowMs && this.#timers.delete(timer)) timer.run();
    }
  }
}
