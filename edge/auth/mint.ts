import { isoTime, signToken, toBase64Url, type Scope } from '#protocol';
import type { RequestKey } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import type { Clock } from '../lib/clock.ts';
import { call } from '../lib/rpc.ts';
import { keysOf } from './keys.ts';
import { tokensObject } from './tokens-rpc.ts';

export interface TokenView {
  token: string;
  /** Its id, by which it is revoked. */
  jti: string;
  sub: string;
  scope: Scope[];
  expires_at: string;
}

/**
 * A new token; or, where the request with this key was made before, the same one again.
 * @throws TabgridError `idempotency_conflict`
 */
export async function mint(
  env: Env,
  clock: Clock,
  grant: { sub: string; scope: readonly Scope[]; ttlSeconds: number },
  request: RequestKey | null,
): Promise<TokenView> {
  const fresh = {
    jti: toBase64Url(clock.randomBytes(12)),
    exp: Math.floor(clock.now() / 1000) + grant.ttlSeconds,
  };
  const { jti, exp } =
    request === null ? fresh : await call(tokensObject(env).mintOnce(request.key, request.bodyDigest, fresh));
  const { sub } = grant;
  const scope = [...grant.scope];
  return { token: signToken({ sub, scope, exp, jti }, keysOf(env)), jti, sub, scope, expires_at: isoTime(exp * 1000) };
}
