import type { CatchUp } from '#protocol';
import type { Timing } from './timing.ts';

/** A tick is on time for so long: an object that is just waking needs a moment. */
export const punctualMs = 60_000;
/** Ticks that `all` makes up for at once, the newest ones; what lies before them is lost. */
export const maxCaughtUp = 100;

/**
 * The ticks to fire now, oldest first, of a schedule whose next one was to come at `nextMs`.
 * - `none`: the newest, if it is on time.
 * - `last`: the newest, however late.
 * - `all`: every one, at most `maxCaughtUp`.
 */
export function dueTicks(timing: Timing, nextMs: number, nowMs: number, policy: CatchUp): number[] {
  if (nextMs > nowMs) return [];
  const newest = newestTicks(timing, nextMs, nowMs, policy === 'all' ? maxCaughtUp : 1);
  return policy === 'none' ? newest.filter((tickMs) => tickMs >= nowMs - punctualMs) : newest;
}

/** The newest ticks from `firstMs`, which is one, to `lastMs`. It looks back twice as far each time, so that a year’s absence costs little. */
function newestTicks(timing: Timing, firstMs: number, lastMs: number, count: number): number[] {
  for (let windowMs = punctualMs; ; windowMs *= 2) {
    const startMs = Math.max(firstMs, lastMs - windowMs);
    const ticks: number[] = [];
    let tick = startMs === firstMs ? firstMs : timing.next(startMs - 1);
    for (; tick !== null && tick <= lastMs; tick = timing.next(tick)) ticks.push(tick);
    if (startMs === firstMs || ticks.length >= count) return ticks.slice(-count);
  }
}
