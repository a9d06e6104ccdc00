import { errorCodes, type ErrorBody } from '#protocol';
import { rpcError } from './lib/rpc.ts';

/** Seconds after which a client tries again where the error itself does not say. */
const defaultRetryAfterSeconds = 5;

/** The one place in which an error becomes a response: `{"error": {"code", "message", "details"?}}` with the status of its code. */
export function errorResponse(thrown: unknown): Response {
  const { retry_after: retryAfter, ...error } = rpcError(thrown);
  const { status } = errorCodes[error.code];
  const headers = new Headers({ 'content-type': 'application/json; charset=utf-8' });
  for (const [name, value] of statusHeaders(error, retryAfter)) headers.set(name, value);
  return new Response(`${JSON.stringify({ error } satisfies ErrorBody)}\n`, { status, headers });
}

function statusHeaders({ code, details }: ErrorBody['error'], retryAfter: number | undefined): [string, string][] {
  const { status } = errorCodes[code];
  if (status === 429 || status === 503 || retryAfter !== undefined) {
    return [['retry-after', String(Math.max(1, Math.ceil(retryAfter ?? defaultRetryAfterSeconds)))]];
  }
  if (status === 401)
    return [['www-authenticate', code === 'token_expired' ? 'Bearer error="invalid_token"' : 'Bearer']];
  if (status === 405 && Array.isArray(details?.allow)) return [['allow', details.allow.join(', ')]];
  if (status === 416) return [['content-range', `bytes */${String(details?.bytes)}`]];
  return [];
}
