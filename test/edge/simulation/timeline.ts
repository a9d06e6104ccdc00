import type { Clock } from '../../../edge/lib/clock.ts';
import type { SeededRandom } from './random.ts';

interface Happening {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Turns of the microtask queue in which an answer reaches whoever waits for it, with some to spare. */
const settleTurns = 24;

/** Simulated time: what is to happen, in the order of its time, one after the other. */
export class Timeline {
  nowMs = 1_700_000_000_000;
  readonly random: SeededRandom;
  readonly #happenings: Happening[] = [];
  #order = 0;

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** @returns what takes it back */
  after(ms: number, run: () => void): () => void {
    const happening = { dueMs: this.nowMs + ms, order: this.#order++, run };
    let at = this.#happenings.length;
    while (at > 0 && this.#happenings[at - 1]!.dueMs > happening.dueMs) at--;
    this.#happenings.splice(at, 0, happening);
    return () => {
      const index = this.#happenings.indexOf(happening);
      if (index >= 0) this.#happenings.splice(index, 1);
    };
  }

  /** Lets the next thing happen, with all that follows from it at once. @returns false when nothing is to come by then */
  async step(untilMs: number): Promise<boolean> {
    const next = this.#happenings[0];
    if (next === undefined || next.dueMs > untilMs) {
      this.nowMs = Math.max(this.nowMs, untilMs);
      return false;
    }
    this.#happenings.shift();
    this.nowMs = Math.max(this.nowMs, next.dueMs);
    next.run();
    for (let turn = 0; turn < settleTurns; turn++) await Promise.resolve();
    return true;
  }
}

/** The clock of one life of an object: its timers die with it. */
export class MortalClock implements Clock {
  readonly #timeline: Timeline;
  readonly #timers = new Set<() => void>();
  #isDead = false;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  now(): number {
    return this.#timeline.nowMs;
  }

  random(): number {
    return this.#timeline.random.next();
  }

  randomBytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#timeline.random.int(0, 255));
  }

  setTimer(ms: number, run: () => void): () => void {
    // What still runs of a life that is over reaches nothing any more.
    if (this.#isDead) return () => undefined;
    const cancel = this.#timeline.after(ms, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
    return cancel;
  }

  die(): void {
    this.#isDead = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }
}
