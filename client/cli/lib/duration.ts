import { UsageError } from './errors.ts';

const secondsPerUnit = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Reads `90`, `90s`, `15m`, `12h` or `30d` as seconds. @throws UsageError */
export function parseDuration(text: string): number {
  const [, amount = '', unit = 's'] = /^(\d+(?:\.\d+)?)([smhd])?$/.exec(text.trim()) ?? [];
  const seconds = Number(amount) * secondsPerUnit[unit as keyof typeof secondsPerUnit];
  if (amount === '' || seconds <= 0) {
    throw new UsageError(`expected a duration such as 90s, 15m, 12h or 30d, got ${JSON.stringify(text)}`);
  }
  return seconds;
}
