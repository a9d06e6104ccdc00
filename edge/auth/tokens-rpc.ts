import type { Env } from '../env.ts';
import { stubOf } from '../lib/delivery.ts';
import type { Reply } from '../lib/rpc.ts';

/** Revocations kept at the same time. Who needs more rotates the secret, which ends all tokens at once. */
export const maxRevocations = 10_000;

/** So many admissions in a window; the window begins with the first. */
export interface AdmissionLimit {
  /** What is counted: already hashed, so that no address is stored. */
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
}

/** What is minted under an `Idempotency-Key`, kept so that a repeat gives the same token. The token itself is not stored. */
export interface MintRecord {
  readonly jti: string;
  readonly exp: number;
}

/** What the Tokens object offers to the Worker. */
export interface TokensApi {
  /** Ids of revoked tokens that have not expired. */
  revoked(): Promise<Reply<string[]>>;
  /** @param untilSeconds when the token expires by itself, in seconds since 1970. @throws conflict when `maxRevocations` is reached. */
  revoke(jti: string, untilSeconds: number): Promise<Reply<null>>;
  /** Counts one admission against every limit, or against none where one is used up. @throws rate_limited */
  admit(limits: AdmissionLimit[]): Promise<Reply<null>>;
  /** The record of the first call with this key. @throws idempotency_conflict when its body was another one. */
  mintOnce(key: string, bodyDigest: string, record: MintRecord): Promise<Reply<MintRecord>>;
}

export function tokensObject(env: Env): TokensApi {
  return stubOf<TokensApi>(env, { object: 'tokens', name: 'main' });
}
