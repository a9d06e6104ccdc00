import { keyRing, type KeyRing } from '#protocol';
import type { Env } from '../env.ts';

let remembered: { secrets: string | undefined; keys: KeyRing } | null = null;

/** The deployment’s keys. @throws TabgridError `not_configured` */
export function keysOf(env: Env): KeyRing {
  const secrets = env.TABGRID_SECRET;
  if (remembered?.secrets !== secrets || remembered === null) remembered = { secrets, keys: keyRing(secrets) };
  return remembered.keys;
}
