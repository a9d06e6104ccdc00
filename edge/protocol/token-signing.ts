import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { fromBase64Url, toBase64Url } from './base64url.ts';
import { TabgridError } from './errors.ts';
import { asciiJson, type JsonObject } from './json.ts';
import { claimsSchema, type Claims } from './token.ts';

/**
 * A token is `base64url(claims) "." base64url(HMAC-SHA-256(secret, "tabgrid.token.v1." + base64url(claims)))`, the claims as JSON in ASCII.
 * All its characters may stand in a WebSocket subprotocol. This file runs unchanged at the edge, in Node and in a page.
 */
const tokenPurpose = 'tabgrid.token.v1.';

/** Shorter secrets could be guessed. */
export const minSecretChars = 32;

/** A token that lives longer is refused, so that a revocation need not be remembered for ever. */
export const maxTokenTtlSeconds = 366 * 86_400;

export interface SigningKey {
  /** Names the secret in `kid` without telling it: 8 hex digits of an HMAC under it. */
  readonly kid: string;
  readonly secret: Uint8Array;
}

/** The first one signs; all of them verify. */
export type KeyRing = readonly [SigningKey, ...SigningKey[]];

/**
 * @param secrets the value of `TABGRID_SECRET`: one secret, or several after commas while keys are rotated.
 * @throws TabgridError `not_configured` where it is missing or a secret is shorter than 32 characters.
 */
export function keyRing(secrets: string | undefined): KeyRing {
  const texts = (secrets ?? '').split(',').map((text) => text.trim());
  if (texts.some((text) => text.length < minSecretChars)) {
    throw new TabgridError('not_configured', `TABGRID_SECRET must be set, with at least ${minSecretChars} characters`);
  }
  return texts.map((text) => {
    const secret = utf8ToBytes(text);
    return { kid: bytesToHex(mac(secret, 'tabgrid.kid.v1.')).slice(0, 8), secret };
  }) as [SigningKey, ...SigningKey[]];
}

/** @param claims what the token says; its `kid` becomes that of the signing key. `exp` is in seconds since 1970. */
export function signToken(claims: Omit<Claims, 'kid'>, keys: KeyRing): string {
  const [key] = keys;
  const { sub, scope, exp, jti } = claims;
  return sign(tokenPurpose, { sub, scope, exp, jti, kid: key.kid }, key);
}

/** @throws TabgridError `unauthorized` for what this deployment did not sign, `token_expired` for what no longer counts. */
export function verifyToken(token: string, keys: KeyRing, nowMs: number): Claims {
  const claims = readToken(token, keys);
  checkLifetime(claims, nowMs);
  return claims;
}

/** What a genuine token says, whether it still counts or not. @throws TabgridError `unauthorized` */
export function readToken(token: string, keys: KeyRing): Claims {
  const parsed = claimsSchema.safeParse(readSigned(tokenPurpose, token, keys));
  if (!parsed.success) throw new TabgridError('unauthorized', 'the token was not signed by this deployment');
  return parsed.data;
}

/** @throws TabgridError `token_expired`; `unauthorized` for a token that lives too long. */
export function checkLifetime({ exp }: Claims, nowMs: number): void {
  if (exp * 1000 <= nowMs) throw new TabgridError('token_expired', 'the token has expired');
  if (exp * 1000 > nowMs + maxTokenTtlSeconds * 1000) {
    throw new TabgridError('unauthorized', `the token lives longer than ${maxTokenTtlSeconds / 86_400} days`);
  }
}

/** Signs a JSON value for one purpose; what was signed for one purpose never counts for another. */
export function sign(purpose: string, value: JsonObject, key: SigningKey): string {
  const payload = toBase64Url(utf8ToBytes(asciiJson(value)));
  return `${payload}.${toBase64Url(mac(key.secret, purpose + payload))}`;
}

/** @returns the JSON value that was signed for this purpose by one of the keys, or undefined. */
export function readSigned(purpose: string, signed: string, keys: KeyRing): unknown {
  const [payload, signature, ...rest] = signed.split('.');
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined;
  const given = fromBase64Url(signature);
  if (given === null) return undefined;
  const genuine = keys.map((key) => equalInConstantTime(given, mac(key.secret, purpose + payload)));
  if (!genuine.includes(true)) return undefined;
  const bytes = fromBase64Url(payload) ?? new Uint8Array();
  try {
    return JSON.parse(String.fromCharCode(...bytes)) as unknown;
  } catch {
    return undefined;
  }
}

/** 32 bytes that only the holder of the key can make from `text`: stands for a value that is not to be stored itself. */
export function keyedDigest(purpose: string, text: string, key: SigningKey): string {
  return toBase64Url(mac(key.secret, purpose + text));
}

function mac(secret: Uint8Array, text: string): Uint8Array {
  return hmac(sha256, secret, utf8ToBytes(text));
}

/** Takes as long for any two arrays of one length, so that a forger learns nothing from the time. */
function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
