import type { SolarEvent } from '#protocol';

/** Where the sun’s centre stands at an event: degrees from the zenith, and on which side of noon. */
const positions: Record<SolarEvent, { zenith: number; side: -1 | 0 | 1 }> = {
  dawn_astronomical: { zenith: 108, side: -1 },
  dawn_nautical: { zenith: 102, side: -1 },
  dawn_civil: { zenith: 96, side: -1 },
  // The upper limb on the horizon: 16′ of radius and 34′ of refraction.
  sunrise: { zenith: 90.833, side: -1 },
  solar_noon: { zenith: 0, side: 0 },
  sunset: { zenith: 90.833, side: 1 },
  dusk_civil: { zenith: 96, side: 1 },
  dusk_nautical: { zenith: 102, side: 1 },
  dusk_astronomical: { zenith: 108, side: 1 },
};

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** Every event that there is somewhere comes there within a year. */
const maxDays = 400;

const sin = (degrees: number): number => Math.sin((degrees * Math.PI) / 180);
const cos = (degrees: number): number => Math.cos((degrees * Math.PI) / 180);
const tan = (degrees: number): number => Math.tan((degrees * Math.PI) / 180);
const degreesOf = (radians: number): number => (radians * 180) / Math.PI;

/**
 * The sun at an instant, after Meeus, “Astronomical Algorithms” (2nd ed., ch. 25 and 28), as NOAA’s solar calculator has it
 * (gml.noaa.gov/grad/solcalc/calcdetails.html).
 * @returns its declination in degrees, and the equation of time in minutes.
 */
function sunAt(instantMs: number): { declination: number; equationMinutes: number } {
  const julianDay = instantMs / dayMs + 2_440_587.5;
  const t = (julianDay - 2_451_545) / 36_525;
  const meanLongitude = 280.46646 + t * (36_000.76983 + t * 0.0003032);
  const anomaly = 357.52911 + t * (35_999.05029 - 0.0001537 * t);
  const eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t);
  const centre =
    sin(anomaly) * (1.914602 - t * (0.004817 + 0.000014 * t)) +
    sin(2 * anomaly) * (0.019993 - 0.000101 * t) +
    sin(3 * anomaly) * 0.000289;
  const node = 125.04 - 1934.136 * t;
  const longitude = meanLongitude + centre - 0.00569 - 0.00478 * sin(node);
  const obliquity = 23 + (26 + (21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))) / 60) / 60 + 0.00256 * cos(node);
  const y = tan(obliquity / 2) ** 2;
  const equation =
    y * sin(2 * meanLongitude) -
    2 * eccentricity * sin(anomaly) +
    4 * eccentricity * y * sin(anomaly) * cos(2 * meanLongitude) -
    0.5 * y * y * sin(4 * meanLongitude) -
    1.25 * eccentricity * eccentricity * sin(2 * anomaly);
  return {
    declination: degreesOf(Math.asin(sin(obliquity) * sin(longitude))),
    equationMinutes: 4 * degreesOf(equation),
  };
}

/** The times of one event at one place. Right to a minute between the polar circles; in polar day and night there are none. */
export class SolarTimes {
  readonly #event: SolarEvent;
  readonly #lat: number;
  /** The mean sun’s noon after midnight UTC. */
  readonly #noonMs: number;

  /** @param lat degrees north. @param lon degrees east. */
  constructor(event: SolarEvent, lat: number, lon: number) {
    this.#event = event;
    this.#lat = lat;
    this.#noonMs = (720 - 4 * lon) * minuteMs;
  }

  /** The first after an instant, in whole seconds; null where it never comes, as sunrise at the pole. */
  next(afterMs: number): number | null {
    const firstDay = Math.floor((afterMs - this.#noonMs) / dayMs) - 1;
    for (let day = firstDay; day < firstDay + maxDays; day++) {
      const timeMs = this.#onDay(day);
      if (timeMs !== null && timeMs > afterMs) return timeMs;
    }
    return null;
  }

  /** That of one solar day, counted from 1970: the sun moves while it goes down, so the time is found in a few rounds. */
  #onDay(day: number): number | null {
    const meanNoonMs = day * dayMs + this.#noonMs;
    const { zenith, side } = positions[this.#event];
    let timeMs = meanNoonMs;
    let isThere = false;
    for (let round = 0; round < 8; round++) {
      const { declination, equationMinutes } = sunAt(timeMs);
      const cosine = side === 0 ? 1 : this.#hourCosine(zenith, declination);
      isThere = Math.abs(cosine) <= 1;
      // Where it is not there by the sun of noon it may be by the sun of midnight.
      const angle = degreesOf(Math.acos(Math.min(1, Math.max(-1, cosine))));
      timeMs = meanNoonMs - equationMinutes * minuteMs + side * 4 * angle * minuteMs;
    }
    return isThere ? Math.round(timeMs / 1000) * 1000 : null;
  }

  /** Of the angle from noon; beyond 1 when the sun does not come so low, or so high, on that day. */
  #hourCosine(zenith: number, declination: number): number {
    const lat = this.#lat;
    return cos(zenith) / (cos(lat) * cos(declination)) - tan(lat) * tan(declination);
  }
}
