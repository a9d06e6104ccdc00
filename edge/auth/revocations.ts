import { call } from '../lib/rpc.ts';
import type { Env } from '../env.ts';
import { tokensObject } from './tokens-rpc.ts';

/** How long a Worker may go on accepting a token after it was revoked elsewhere. */
const revocationCacheMs = 5_000;

/** At most `maxRevocations` ids of at most 64 characters: some 700 kB in each running Worker. */
let cached: { ids: ReadonlySet<string>; fetchedMs: number } | null = null;

/** True when the token of this id was revoked. Asks the Tokens object at most once in `revocationCacheMs`. @throws TabgridError `unavailable` */
export async function isRevoked(env: Env, jti: string, nowMs: number): Promise<boolean> {
  if (cached === null || nowMs - cached.fetchedMs >= revocationCacheMs || nowMs < cached.fetchedMs) {
    cached = { ids: new Set(await call(tokensObject(env).revoked())), fetchedMs: nowMs };
  }
  return cached.ids.has(jti);
}

/** Makes the next check ask again: after a revocation that went through this Worker. */
export function forgetRevocations(): void {
  cached = null;
}
