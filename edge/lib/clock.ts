/** Time and chance, as a parameter: logic asks this instead of the host, so that tests decide both. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  randomBytes(count: number): Uint8Array;
  /** Calls `run` once after `ms`; the answer cancels it. A pending timer keeps an object from hibernating, so keep it short. */
  setTimer(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  setTimer(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** The system’s clock, until a test puts another one in its place: parts that were built with it follow. */
export class SwitchableClock implements Clock {
  source: Clock = systemClock;

  now(): number {
    return this.source.now();
  }

  random(): number {
    return this.source.random();
  }

  randomBytes(count: number): Uint8Array {
    return this.source.randomBytes(count);
  }

  setTimer(ms: number, run: () => void): () => void {
    return this.source.setTimer(ms, run);
  }
}
