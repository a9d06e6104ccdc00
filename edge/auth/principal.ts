import {
  checkLifetime,
  isAdmin,
  readToken,
  TabgridError,
  workerSubprotocol,
  type Claims,
  type KeyRing,
  type Principal,
  type Scope,
} from '#protocol';
import type { Env } from '../env.ts';
import { keysOf } from './keys.ts';
import { isRevoked } from './revocations.ts';

const tokenSubprotocol = 'bearer.';

/** The subprotocols that a WebSocket request offers. */
export function offeredSubprotocols(headers: Headers): string[] {
  return (headers.get('sec-websocket-protocol') ?? '')
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}

/** `Authorization: Bearer`, or, where a browser opens a socket and can set no header, the subprotocol `bearer.<token>` beside `tabgrid.v1`. */
function bearerToken(headers: Headers): string | undefined {
  const [, token] = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '') ?? [];
  if (token !== undefined) return token;
  const offered = offeredSubprotocols(headers);
  if (!offered.includes(workerSubprotocol)) return undefined;
  return offered.find((protocol) => protocol.startsWith(tokenSubprotocol))?.slice(tokenSubprotocol.length);
}

/** Tokens whose signature was found good, the newest last: checking one takes longer than the rest of a request. Some 300 kB at most. */
const genuine = new Map<string, { claims: Claims; keys: KeyRing }>();
const maxGenuine = 1000;

function readOnce(token: string, keys: KeyRing): Claims {
  const known = genuine.get(token);
  if (known?.keys === keys) return known.claims;
  const claims = readToken(token, keys);
  const [oldest] = genuine.keys();
  if (genuine.size >= maxGenuine && oldest !== undefined) genuine.delete(oldest);
  genuine.set(token, { claims, keys });
  return claims;
}

/**
 * Who is asking, by the token of the request.
 * @throws TabgridError `unauthorized`, `token_expired`
 */
export async function authenticate(request: Request, env: Env, nowMs: number): Promise<Principal> {
  const token = bearerToken(request.headers);
  if (token === undefined) throw new TabgridError('unauthorized', 'expected a header "Authorization: Bearer <token>"');
  const claims = readOnce(token, keysOf(env));
  checkLifetime(claims, nowMs);
  const { sub, scope, jti } = claims;
  if (await isRevoked(env, jti, nowMs)) throw new TabgridError('unauthorized', 'the token was revoked');
  return { sub, scope };
}

/** Lets one of `scopes` pass, and `admin` always. @throws TabgridError `forbidden` */
export function requireScope(principal: Principal, scopes: readonly Scope[]): void {
  if (isAdmin(principal) || scopes.some((scope) => principal.scope.includes(scope))) return;
  throw new TabgridError('forbidden', `the token lacks the scope ${scopes.map((scope) => `"${scope}"`).join(' or ')}`, {
    details: { needed: scopes, scope: principal.scope },
  });
}
