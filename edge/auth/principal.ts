import { isAdmin, TabgridError, verifyToken, workerSubprotocol, type Principal, type Scope } from '#protocol';
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

/**
 * Who is asking, by the token of the request.
 * @throws TabgridError `unauthorized`, `token_expired`
 */
export async function authenticate(request: Request, env: Env, nowMs: number): Promise<Principal> {
  const token = bearerToken(request.headers);
  if (token === undefined) throw new TabgridError('unauthorized', 'expected a header "Authorization: Bearer <token>"');
  const { sub, scope, jti } = verifyToken(token, keysOf(env), nowMs);
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
