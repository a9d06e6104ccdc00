/** When to try again: `min(cap, base · factorⁿ)`, of which full jitter takes a random share. */
export interface RetryPolicy {
  baseDelayMs: number;
  factor: number;
  maxDelayMs: number;
  /** With full jitter the delay is uniform in [0, cap]; without it, it is the cap (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter). */
  jitter: boolean;
}

/** Celery’s customary back-off: a minute, doubling to ten, with full jitter. */
export const defaultRetryPolicy: RetryPolicy = { baseDelayMs: 60_000, factor: 2, maxDelayMs: 600_000, jitter: true };

/** For connections: quick at first, never in step with the other clients. */
export const reconnectPolicy: RetryPolicy = { baseDelayMs: 250, factor: 2, maxDelayMs: 15_000, jitter: true };

/** @param retries how many retries came before this one, from 0. @param random uniform in [0, 1). */
export function retryDelayMs(policy: RetryPolicy, retries: number, random: number): number {
  let capMs = policy.baseDelayMs;
  for (let n = 0; n < retries && capMs < policy.maxDelayMs; n++) capMs *= policy.factor;
  capMs = Math.min(capMs, policy.maxDelayMs);
  return Math.round(policy.jitter ? capMs * random : capMs);
}
