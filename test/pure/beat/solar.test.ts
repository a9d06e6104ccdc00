import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { solarEvents, type SolarEvent } from '#protocol';
import { SolarTimes } from '../../../edge/beat/core/solar.ts';

interface Row {
  place: string;
  lat: number;
  lon: number;
  event: SolarEvent;
  after: string;
  next: string;
}

const rows = JSON.parse(await readFile(new URL('../golden/solar/solar.json', import.meta.url), 'utf8')) as Row[];

function secondsOff({ event, lat, lon, after, next }: Row): number {
  const timeMs = new SolarTimes(event, lat, lon).next(Date.parse(after));
  return timeMs === null ? Infinity : Math.abs(timeMs - Date.parse(next)) / 1000;
}

describe('the times of the sun', () => {
  it('are an ephemeris’s to 30 s, from the equator to Oslo', () => {
    const ordinary = rows.filter(({ place }) => !['tromso', 'longyearbyen', 'halley'].includes(place));
    expect(ordinary.length).toBe(324);
    for (const row of ordinary) expect(secondsOff(row), JSON.stringify(row)).toBeLessThan(30);
  });

  it('after polar day and night are the first ones that there are, to 2 min', () => {
    const polar = rows.filter(({ place }) => ['tromso', 'longyearbyen', 'halley'].includes(place));
    expect(polar.length).toBe(5);
    for (const row of polar) expect(secondsOff(row), JSON.stringify(row)).toBeLessThan(120);
  });

  it('come one after the other, once a day where there is day and night', () => {
    for (const event of solarEvents) {
      const times = new SolarTimes(event, 48.2, 16.37);
      let before = Date.parse('2026-01-01T00:00:00Z');
      for (let day = 0; day < 365; day++) {
        const next = times.next(before)!;
        if (day > 0) expect(Math.abs(next - before - 86_400_000)).toBeLessThan(10 * 60_000);
        before = next;
      }
    }
  });

  it('are none at the pole', () => {
    expect(new SolarTimes('sunrise', 90, 0).next(0)).toBeNull();
    expect(new SolarTimes('solar_noon', 90, 0).next(0)).not.toBeNull();
  });
});
