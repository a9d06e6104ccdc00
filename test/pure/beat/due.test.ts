import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CatchUp, Timetable } from '#protocol';
import { dueTicks, maxCaughtUp, punctualMs } from '../../../edge/beat/core/due.ts';
import { timingOf, upcoming, type Timing } from '../../../edge/beat/core/timing.ts';

const minute: Timing = timingOf({ every: 60 }, 0);
const day: Timing = timingOf({ every: 86_400 }, 0);
const at = (minutes: number): number => minutes * 60_000;

describe('the ticks that are due', () => {
  it.each<[string, Timing, { next: number; now: number }, Record<CatchUp, number[]>]>([
    ['before the next one', minute, { next: at(5), now: at(5) - 1 }, { none: [], last: [], all: [] }],
    ['at it', minute, { next: at(5), now: at(5) }, { none: [at(5)], last: [at(5)], all: [at(5)] }],
    ['just after it', minute, { next: at(5), now: at(5) + 900 }, { none: [at(5)], last: [at(5)], all: [at(5)] }],
    [
      'after three of them',
      minute,
      { next: at(5), now: at(7) + 1 },
      { none: [at(7)], last: [at(7)], all: [at(5), at(6), at(7)] },
    ],
    [
      'a day that was late by as much as is on time',
      day,
      { next: at(1440), now: at(1441) },
      { none: [at(1440)], last: [at(1440)], all: [at(1440)] },
    ],
    [
      'a day that was later than that',
      day,
      { next: at(1440), now: at(1441) + 1 },
      { none: [], last: [at(1440)], all: [at(1440)] },
    ],
    [
      'days of absence',
      day,
      { next: at(1440), now: at(3 * 1440 + 60) },
      { none: [], last: [at(3 * 1440)], all: [at(1440), at(2 * 1440), at(3 * 1440)] },
    ],
  ])('%s', (_, timing, { next, now }, expected) => {
    for (const policy of ['none', 'last', 'all'] as const) {
      expect(dueTicks(timing, next, now, policy), policy).toEqual(expected[policy]);
    }
  });

  it('a single one, however late', () => {
    const once = timingOf({ at: '2026-01-01T00:00:00Z' }, 0);
    const atMs = Date.parse('2026-01-01T00:00:00Z');
    expect(dueTicks(once, atMs, atMs + at(100_000), 'last')).toEqual([atMs]);
    expect(dueTicks(once, atMs, atMs + at(100_000), 'all')).toEqual([atMs]);
    expect(dueTicks(once, atMs, atMs + at(100_000), 'none')).toEqual([]);
  });

  const timetable = fc.constantFrom<Timetable>(
    { every: 1 },
    { every: 7.5 },
    { every: 3600 },
    { crontab: '*/5 * * * *', timezone: 'Europe/Vienna' },
    { crontab: '* 3 * * mon', timezone: 'America/New_York' },
    { crontab: '0 0 1 * *' },
    { solar: 'sunset', lat: 69.6, lon: 19 },
  );

  it('are the newest of all that have come, and the next one lies ahead', () => {
    fc.assert(
      fc.property(
        timetable,
        fc.integer({ min: 0, max: 1e10 }),
        fc.integer({ min: 0, max: 3_000_000 }),
        (when, sinceMs, awayMs) => {
          const startMs = Date.parse('2026-01-01T00:00:00Z') + sinceMs;
          const timing = timingOf(when, startMs);
          const nextMs = timing.next(startMs)!;
          const nowMs = nextMs + awayMs;
          const come: number[] = [];
          for (let tick: number | null = nextMs; tick !== null && tick <= nowMs; tick = timing.next(tick))
            come.push(tick);
          expect(dueTicks(timing, nextMs, nowMs, 'all')).toEqual(come.slice(-maxCaughtUp));
          expect(dueTicks(timing, nextMs, nowMs, 'last')).toEqual(come.slice(-1));
          expect(dueTicks(timing, nextMs, nowMs, 'none')).toEqual(
            come.slice(-1).filter((tick) => nowMs - tick <= punctualMs),
          );
          const next = timing.next(nowMs);
          if (next !== null) expect(next).toBeGreaterThan(nowMs);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('cost no more after ten years than after a day', () => {
    let asked = 0;
    const second = timingOf({ every: 1 }, 0);
    const counting: Timing = { next: (afterMs) => (asked++, second.next(afterMs)) };
    expect(dueTicks(counting, 1000, 10 * 365 * 86_400_000, 'all')).toHaveLength(maxCaughtUp);
    expect(asked).toBeLessThan(1000);
  });
});

describe('intervals', () => {
  it('are counted from when the schedule was made, and never drift', () => {
    const timing = timingOf({ every: 10 }, 1234);
    expect(upcoming(timing, 1234, 3)).toEqual([11_234, 21_234, 31_234]);
    expect(timing.next(15_000)).toBe(21_234);
    expect(timing.next(21_234)).toBe(31_234);
    expect(timing.next(0)).toBe(11_234);
  });
});
