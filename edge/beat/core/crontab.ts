import { Cron } from 'croner';
import { Zone } from './zone.ts';

/** No clock is put forward or back by more than this (Troll station: 2 h). */
const maxChangeMs = 3 * 3_600_000;

/**
 * A crontab in a time zone. croner reads the pattern and counts through the readings of a clock that is never changed; which instant a
 * reading is follows from its hours:
 * - Hours that are named (`30 2 * * *`) mean readings: each comes once a day. One that is skipped when the clock is put forward comes as
 *   much later; one that is there twice when it is put back comes the first time (RFC 5545 §3.3.5).
 * - Every hour (a field that begins with `*`) means time that passes: nothing comes for readings that are skipped, and those that are
 *   there twice come twice, so that a quarter of an hour stays one.
 */
export class Crontab {
  readonly #cron: Cron;
  readonly #zone: Zone;
  readonly #isEveryHour: boolean;

  /** @throws Error in words when the pattern is none. */
  constructor(pattern: string, zone: Zone) {
    const fields = pattern.trim().split(/\s+/);
    if (pattern.includes(':') || (fields.length !== 5 && !pattern.trim().startsWith('@'))) {
      throw new Error(
        'expected five fields, such as "0 3 * * *": minute, hour, day of the month, month, day of the week',
      );
    }
    this.#cron = new Cron(pattern, { mode: '5-part', utcOffset: 0, paused: true });
    this.#zone = zone;
    this.#isEveryHour = /^[*?]/.test(fields[1] ?? '') || fields[0]?.toLowerCase() === '@hourly';
  }

  /** The first tick after an instant, or null. */
  next(afterMs: number): number | null {
    const readingMs = afterMs + this.#zone.offsetMs(afterMs);
    const nextMs = this.#nextReading(readingMs);
    if (nextMs === null) return null;
    const guessMs = nextMs - this.#zone.offsetMs(afterMs);
    const isSteady = this.#zone.isSteady(afterMs, maxChangeMs) && this.#zone.isSteady(guessMs, maxChangeMs);
    return isSteady ? nextMs - this.#zone.offsetMs(guessMs) : this.#nextNearChange(afterMs, readingMs);
  }

  /** Around a change readings and instants are in different orders: looks at all that could be the first. */
  #nextNearChange(afterMs: number, readingMs: number): number | null {
    let bestMs = Infinity;
    let bestReadingMs = Infinity;
    for (
      let nextMs = this.#nextReading(readingMs - maxChangeMs);
      nextMs !== null && nextMs <= bestReadingMs + maxChangeMs;
      nextMs = this.#nextReading(nextMs)
    ) {
      for (const instantMs of this.#ticksOf(nextMs)) {
        if (instantMs <= afterMs || instantMs >= bestMs) continue;
        bestMs = instantMs;
        bestReadingMs = instantMs + this.#zone.offsetMs(instantMs);
      }
    }
    return Number.isFinite(bestMs) ? bestMs : null;
  }

  #ticksOf(readingMs: number): number[] {
    const { instants, laterMs } = this.#zone.instantsOf(readingMs);
    if (this.#isEveryHour) return instants;
    return [instants[0] ?? laterMs];
  }

  #nextReading(afterMs: number): number | null {
    try {
      return this.#cron.nextRun(new Date(afterMs))?.getTime() ?? null;
    } catch (error) {
      // croner looks for a 31st of April until its stack is full.
      if (error instanceof RangeError) return null;
      throw error;
    }
  }
}
