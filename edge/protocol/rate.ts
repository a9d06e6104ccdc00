import { z } from 'zod';
import { TabgridError } from './errors.ts';

const windowsMs = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)\/([smh])$/;

/** Starts per window. */
export interface Rate {
  count: number;
  windowMs: number;
}

/** Celery’s notation of a rate: `10/s`, `100/m`, `1000/h`. */
export const rateTextSchema = z
  .string()
  .refine((text) => readRate(text) !== null, 'expected a rate such as 10/s, 100/m or 1000/h');

/** @throws TabgridError `invalid_request` for what is no rate. */
export function parseRate(text: string): Rate {
  const rate = readRate(text);
  if (rate !== null) return rate;
  throw new TabgridError('invalid_request', `rate_limit: expected a rate such as 10/s, 100/m or 1000/h, got "${text}"`);
}

function readRate(text: string): Rate | null {
  const match = pattern.exec(text);
  const count = Number(match?.[1]);
  if (match === null || !(count > 0) || !Number.isFinite(count)) return null;
  return { count, windowMs: windowsMs[match[2] as keyof typeof windowsMs] };
}
