import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timetableFaults } from '../../../edge/beat/core/check.ts';
import { timingOf, upcoming } from '../../../edge/beat/core/timing.ts';

function ticks(crontab: string, timezone: string, after: string, count: number): string[] {
  return upcoming(timingOf({ crontab, timezone }, 0), Date.parse(after), count).map((ms) =>
    new Date(ms).toISOString().replace(':00.000Z', 'Z'),
  );
}

describe('a crontab', () => {
  it('is read in its zone, summer and winter', () => {
    expect(ticks('0 3 * * *', 'Europe/Vienna', '2026-01-10T12:00:00Z', 2)).toEqual([
      '2026-01-11T02:00Z',
      '2026-01-12T02:00Z',
    ]);
    expect(ticks('0 3 * * *', 'Europe/Vienna', '2026-07-10T12:00:00Z', 1)).toEqual(['2026-07-11T01:00Z']);
    expect(ticks('30 17 * * mon-fri', 'America/New_York', '2026-07-03T12:00:00Z', 2)).toEqual([
      '2026-07-03T21:30Z',
      '2026-07-06T21:30Z',
    ]);
    expect(ticks('0 6 * * *', 'Asia/Kathmandu', '2026-07-03T12:00:00Z', 1)).toEqual(['2026-07-04T00:15Z']);
  });

  it('joins day of the month and day of the week by “or”, as cron does, and by “and” with a plus', () => {
    expect(ticks('0 0 13 * fri', 'UTC', '2026-02-01T00:00:00Z', 3)).toEqual([
      '2026-02-06T00:00Z',
      '2026-02-13T00:00Z',
      '2026-02-20T00:00Z',
    ]);
    expect(ticks('0 0 13 * +fri', 'UTC', '2026-02-01T00:00:00Z', 3)).toEqual([
      '2026-02-13T00:00Z',
      '2026-03-13T00:00Z',
      '2026-11-13T00:00Z',
    ]);
  });

  it('knows last days, leap days and names', () => {
    expect(ticks('0 12 L * *', 'UTC', '2028-01-31T12:00:00Z', 2)).toEqual(['2028-02-29T12:00Z', '2028-03-31T12:00Z']);
    expect(ticks('0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 2)).toEqual(['2028-02-29T00:00Z', '2032-02-29T00:00Z']);
    expect(ticks('@daily', 'UTC', '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-02T00:00Z']);
  });

  it('never comes at the instant that it is asked from', () => {
    expect(ticks('* * * * *', 'UTC', '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-01T00:01Z']);
    expect(ticks('* * * * *', 'UTC', '2026-01-01T00:00:59.999Z', 1)).toEqual(['2026-01-01T00:01Z']);
  });
});

// Vienna, 2026-03-29: 02:00 becomes 03:00 (01:00 UTC). 2026-10-25: 03:00 becomes 02:00 (01:00 UTC). tz database, rules of the EU.
describe('when the clock is put forward', () => {
  it('a reading that is skipped comes as much later, once', () => {
    expect(ticks('30 2 * * *', 'Europe/Vienna', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:30Z',
      '2026-03-30T00:30Z',
    ]);
    expect(ticks('0 2 * * *', 'Europe/Vienna', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:00Z',
    ]);
  });

  it('readings that fall on one instant by it come once', () => {
    expect(ticks('0,30 2,3 * * *', 'Europe/Vienna', '2026-03-29T00:00:00Z', 3)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-29T01:30Z',
      '2026-03-30T00:00Z',
    ]);
  });

  it('every half hour stays one', () => {
    expect(ticks('*/30 * * * *', 'Europe/Vienna', '2026-03-29T00:00:00Z', 4)).toEqual([
      '2026-03-29T00:30Z',
      '2026-03-29T01:00Z',
      '2026-03-29T01:30Z',
      '2026-03-29T02:00Z',
    ]);
  });

  it('midnight may be what is skipped', () => {
    expect(ticks('0 0 * * *', 'America/Havana', '2026-03-07T12:00:00Z', 2)).toEqual([
      '2026-03-08T05:00Z',
      '2026-03-09T04:00Z',
    ]);
  });
});

describe('when the clock is put back', () => {
  it('a reading that is there twice comes the first time', () => {
    expect(ticks('30 2 * * *', 'Europe/Vienna', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
    expect(ticks('30 2 * * *', 'Europe/Vienna', '2026-10-25T00:45:00Z', 1)).toEqual(['2026-10-26T01:30Z']);
    expect(ticks('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', 2)).toEqual([
      '2026-11-01T05:30Z',
      '2026-11-02T06:30Z',
    ]);
  });

  it('every half hour stays one', () => {
    expect(ticks('*/30 * * * *', 'Europe/Vienna', '2026-10-24T23:45:00Z', 6)).toEqual([
      '2026-10-25T00:00Z',
      '2026-10-25T00:30Z',
      '2026-10-25T01:00Z',
      '2026-10-25T01:30Z',
      '2026-10-25T02:00Z',
      '2026-10-25T02:30Z',
    ]);
  });

  it('by half an hour, it is no different', () => {
    expect(ticks('45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T20:00:00Z', 2)).toEqual([
      '2026-04-04T14:45Z',
      '2026-04-05T15:15Z',
    ]);
  });
});

const zones = [
  'Europe/Vienna',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Havana',
  'Antarctica/Troll',
  'Africa/Casablanca',
  'Asia/Kolkata',
];
/** Days of 2026 on which one of these zones changes, and others. */
const days = [
  '2026-03-08',
  '2026-03-29',
  '2026-04-05',
  '2026-10-04',
  '2026-10-25',
  '2026-11-01',
  '2026-02-15',
  '2026-03-22',
  '2026-07-01',
];

function readingIn(timezone: string): (ms: number) => { hour: number; minute: number; day: number } {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' });
  return (ms) => {
    const [, day = '', hour = '', minute = ''] = /-(\d+) (\d+):(\d+)/.exec(format.format(ms)) ?? [];
    return { day: Number(day), hour: Number(hour), minute: Number(minute) };
  };
}

describe('whatever the zone and the day', () => {
  const place = fc.record({
    timezone: fc.constantFrom(...zones),
    day: fc.constantFrom(...days),
    minutes: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 3 }),
  });
  const around = (day: string) => [Date.parse(day) - 30 * 3_600_000, Date.parse(day) + 30 * 3_600_000] as const;
  const between = (crontab: string, timezone: string, [fromMs, toMs]: readonly [number, number]): number[] => {
    const timing = timingOf({ crontab, timezone }, 0);
    const found: number[] = [];
    for (let tick = timing.next(fromMs); tick !== null && tick <= toMs; tick = timing.next(tick)) found.push(tick);
    return found;
  };

  it('every hour comes at each instant at which the clock shows its minutes, and at no other', () => {
    fc.assert(
      fc.property(place, ({ timezone, day, minutes }) => {
        const range = around(day);
        const reading = readingIn(timezone);
        const expected: number[] = [];
        for (let ms = range[0] + 60_000; ms <= range[1]; ms += 60_000)
          if (minutes.includes(reading(ms).minute)) expected.push(ms);
        expect(between(`${minutes.join(',')} * * * *`, timezone, range)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('named hours come as often on a day on which the clock is changed as on any other, and in order', () => {
    const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(place, hours, ({ timezone, day, minutes }, named) => {
        const found = between(`${minutes.join(',')} ${named.join(',')} * * *`, timezone, around(day));
        expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
        const reading = readingIn(timezone);
        const plain = found.map(reading).filter(({ hour, minute }) => named.includes(hour) && minutes.includes(minute));
        // A reading comes once; what is no reading of the pattern was put off by a change, into the three hours after it.
        expect(new Set(plain.map(({ day: of, hour, minute }) => `${of} ${hour} ${minute}`)).size).toBe(plain.length);
        const offset = (ms: number) => (reading(ms).hour * 60 + reading(ms).minute - Math.floor(ms / 60_000)) % 1440;
        const isSteady = (ms: number) => (offset(ms) - offset(ms - 3 * 3_600_000)) % 1440 === 0;
        for (const ms of found) {
          const { hour, minute } = reading(ms);
          if (isSteady(ms)) expect(named.includes(hour) && minutes.includes(minute)).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('a timetable that is none', () => {
  it.each([
    ['0 3 * *', 'crontab', /five fields/],
    ['0 0 3 * * *', 'crontab', /five fields/],
    ['2026-01-01T00:00:00', 'crontab', /five fields/],
    ['1:2 3 * * *', 'crontab', /five fields/],
    ['60 * * * *', 'crontab', /minute: 60/],
    ['* * * * 8', 'crontab', /dayOfWeek: 8/],
    ['a b c d e', 'crontab', /illegal characters/],
    ['*/0 * * * *', 'crontab', /stepping: 0/],
    ['0 22-2 * * *', 'crontab', /larger/],
    ['@reboot', 'crontab', /not supported/],
    ['@often', 'crontab', /./],
    ['0 0 30 2 *', 'crontab', /no date fits/],
    ['0 0 31 4,6,9,11 *', 'crontab', /no date fits/],
  ])('is told by its path and in words: %s', (crontab, path, words) => {
    const [fault, ...more] = timetableFaults({ crontab }, 0);
    expect(more).toEqual([]);
    expect(fault).toMatchObject({ path, message: expect.stringMatching(words) as string });
  });

  it('names what else cannot be', () => {
    const nowMs = Date.parse('2026-01-01T00:00:00Z');
    const paths = (timetable: Parameters<typeof timetableFaults>[0]) =>
      timetableFaults(timetable, nowMs).map(({ path }) => path);
    expect(paths({ crontab: '* * * * *', timezone: 'Europe/Wien' })).toEqual(['timezone']);
    expect(paths({ solar: 'sunrise', lat: 90, lon: 0 })).toEqual(['solar']);
    expect(paths({ at: '2025-12-31T23:59:59Z' })).toEqual(['at']);
    expect(paths({ at: '2026-01-01T00:00:00+01:00' })).toEqual(['at']);
    expect(paths({ at: '2026-01-01T00:00:01Z' })).toEqual([]);
    expect(paths({ every: 1 })).toEqual([]);
  });
});
