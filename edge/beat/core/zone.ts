/** A time zone’s clock: how far it is ahead of UTC, and which instants a reading of it belongs to. */
export class Zone {
  readonly #format: Intl.DateTimeFormat;

  /** @param name of the IANA database, such as `Europe/Vienna`. @throws RangeError for one that the runtime does not know. */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** What the clock is ahead of UTC at an instant, in ms. */
  offsetMs(instantMs: number): number {
    const wholeMs = Math.floor(instantMs / 1000) * 1000;
    const parts = Object.fromEntries(
      this.#format.formatToParts(wholeMs).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs;
  }

  /** True when the clock is not put forward or back within `ms` before or after the instant. */
  isSteady(instantMs: number, ms: number): boolean {
    return this.offsetMs(instantMs - ms) === this.offsetMs(instantMs + ms);
  }

  /**
   * The instants at which the clock shows this reading (ms since 1970 as if it were UTC), in order: one; two when it is put back over it;
   * none when it is put forward over it, and then `later` is the instant as long after the change as the reading is.
   */
  instantsOf(readingMs: number): { instants: number[]; laterMs: number } {
    const beforeMs = this.offsetMs(readingMs - dayMs);
    const afterMs = this.offsetMs(readingMs + dayMs);
    const instants = [...new Set([readingMs - beforeMs, readingMs - afterMs])]
      .filter((instantMs) => instantMs + this.offsetMs(instantMs) === readingMs)
      .sort((a, b) => a - b);
    return { instants, laterMs: readingMs - beforeMs };
  }
}

const dayMs = 86_400_000;
