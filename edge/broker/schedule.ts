import type { Core } from './core.ts';
import { hardEndMs, type Lease } from './leases.ts';

/** When things are looked at again. */

/** A lease may have run out, or its task’s hard limit passed, then. */
export function nextCheckMs(core: Core, lease: Lease): number {
  return Math.min(lease.expiresMs, hardEndMs(lease, core.config));
}

/** How often old things are looked for: often enough that they stay at most a quarter longer than they should. */
export function retentionPeriodMs(core: Core): number {
  const { resultRetentionMs, eventRetentionMs, campaignRetentionMs } = core.config;
  return Math.min(3_600_000, Math.ceil(Math.min(resultRetentionMs, eventRetentionMs, campaignRetentionMs) / 4));
}
