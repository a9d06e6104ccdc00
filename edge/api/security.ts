import { isOwnOrigin, listedOrigins } from '../auth/origins.ts';
import type { Env } from '../env.ts';

/** On every answer. */
const commonHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/** What the API answers is data, whatever its type says: a browser that shows it runs nothing of it. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

/**
 * Adds the security headers that an answer does not have yet, and says which other sites’ pages may read it. A socket’s answer is left
 * as it is.
 */
export function secured(response: Response, request: Request, env: Env): Response {
  if (response.webSocket !== null) return response;
  const answer = new Response(response.body, response);
  const { headers } = answer;
  const defaults = {
    ...commonHeaders,
    'content-security-policy': dataPolicy,
    'cache-control': 'no-store',
    'cross-origin-resource-policy': 'same-origin',
  };
  for (const [name, value] of Object.entries(defaults)) if (!headers.has(name)) headers.set(name, value);
  const origin = request.headers.get('origin');
  headers.append('vary', 'Origin');
  if (origin !== null && listedOrigins(env).includes(origin)) {
    headers.set('access-control-allow-origin', origin);
    headers.set('access-control-expose-headers', 'ETag, Content-Range, Retry-After');
    headers.set('cross-origin-resource-policy', 'cross-origin');
  }
  return answer;
}

/** Answers what a browser asks before it lets another site’s page send a request: 204, with leave or without. */
export function preflight(request: Request, env: Env): Response {
  const origin = request.headers.get('origin') ?? '';
  const allowed = isOwnOrigin(origin, request.url) || listedOrigins(env).includes(origin);
  if (!allowed) return new Response(null, { status: 204 });
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, HEAD, PUT, POST, DELETE',
      'access-control-allow-headers':
        'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Range',
      'access-control-max-age': '600',
    },
  });
}
