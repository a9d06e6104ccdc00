import { UsageError } from './errors.ts';

const secondsPerUnit = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Reads an option’s `90`, `90s`, `15m`, `12h` or `30d` as seconds. @throws UsageError that names the option. */
export function parseDuration(option: string, text: string): number {
  const [, amount = '', unit = 's'] = /^(\d+(?:\.\d+)?)([smhd])?$/.exec(text.trim()) ?? [];
  const seconds = Number(amount) * secondsPerUnit[unit as keyof typeof secondsPerUnit];
  if (amount === '' || seconds <= 0) {
    throw new UsageError(`${option}: expected a duration such as 90s, 15m, 12h or 30d, got ${JSON.stringify(text)}`);
  }
  return seconds;
}

/** Reads `15m` as the time fifteen minutes ago, or an ISO 8601 time as itself. @throws UsageError that names the option. */
export function parseSince(option: string, text: string): Date {
  if (/^\d+(\.\d+)?[smhd]?$/.test(text)) return new Date(Date.now() - parseDuration(option, text) * 1000);
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new UsageError(`${option}: expected a duration such as 15m, or a time such as 2026-01-31T12:00:00Z`);
}

/** Reads a time with its offset as ISO 8601 in UTC. @throws UsageError that names the option. */
export function parseTime(option: string, text: string): string {
  const time = new Date(text);
  if (/T.*(Z|[+-]\d\d:?\d\d)$/i.test(text) && !Number.isNaN(time.getTime())) return time.toISOString();
  throw new UsageError(
    `${option}: expected a time with its offset, such as 2030-01-31T08:00:00+01:00, got ${JSON.stringify(text)}`,
  );
}
