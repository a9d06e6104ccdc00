import { soon } from './turns.ts';

/** Time and chance, as a parameter: logic asks this instead of the host, so that tests decide both. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Calls `run` once after `ms`; the answer cancels it. */
  setTimer(ms: number, run: () => void): () => void;
}

/** Hosts fire at once what is further away. */
const maxTimerMs = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimer(ms, run) {
    if (ms <= 0) return soon(run);
    const timer = setTimeout(run, Math.min(ms, maxTimerMs));
    return () => clearTimeout(timer);
  },
};

/** Waits for `work`, whatever comes of it, but no longer than `ms`. */
export async function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const ended = work.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([ended, delay(clock, ms, over.signal)]);
  over.abort();
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
export function delay(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.setTimer(ms, done);
    signal?.addEventListener('abort', done);
  });
}
