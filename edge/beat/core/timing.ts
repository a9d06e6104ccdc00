import type { Timetable } from '#protocol';
import { Crontab } from './crontab.ts';
import { SolarTimes } from './solar.ts';
import { Zone } from './zone.ts';

/** The ticks of a schedule. Times are ms since 1970. */
export interface Timing {
  /** The first tick after an instant; null when none comes any more. */
  next(afterMs: number): number | null;
}

/**
 * @param anchorMs what intervals are counted from.
 * @throws Error for a crontab or time zone that is none; `timetableFaults` has checked it.
 */
export function timingOf(timetable: Timetable, anchorMs: number): Timing {
  if ('every' in timetable) return new Interval(Math.round(timetable.every * 1000), anchorMs);
  if ('crontab' in timetable) return new Crontab(timetable.crontab, new Zone(timetable.timezone ?? 'UTC'));
  if ('solar' in timetable) return new SolarTimes(timetable.solar, timetable.lat, timetable.lon);
  const atMs = Date.parse(timetable.at);
  return { next: (afterMs) => (atMs > afterMs ? atMs : null) };
}

class Interval implements Timing {
  readonly #periodMs: number;
  readonly #anchorMs: number;

  constructor(periodMs: number, anchorMs: number) {
    this.#periodMs = periodMs;
    this.#anchorMs = anchorMs;
  }

  next(afterMs: number): number {
    const count = Math.floor((afterMs - this.#anchorMs) / this.#periodMs) + 1;
    return this.#anchorMs + Math.max(1, count) * this.#periodMs;
  }
}

/** At most `count` ticks after an instant. */
export function upcoming(timing: Timing, afterMs: number, count: number): number[] {
  const ticks: number[] = [];
  for (let tick = timing.next(afterMs); tick !== null && ticks.length < count; tick = timing.next(tick))
    ticks.push(tick);
  return ticks;
}
