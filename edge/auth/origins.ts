import { TabgridError } from '#protocol';
import type { Env } from '../env.ts';

/** Origins of other sites whose pages may call the API: `TABGRID_ORIGINS`, separated by commas. */
export function listedOrigins(env: Env): string[] {
  return (env.TABGRID_ORIGINS ?? '')
    .split(',')
    .map((origin) => origin.trim().replace(/\/$/, ''))
    .filter((origin) => origin !== '');
}

/**
 * True for a page of this deployment itself. Hosts are compared, not schemes: behind a proxy that ends TLS the edge sees `http` where the
 * browser sees `https`.
 */
export function isOwnOrigin(origin: string, requestUrl: string): boolean {
  return origin.replace(/^https?:\/\//, '') === new URL(requestUrl).host;
}

/**
 * A browser lets any page open a socket anywhere, so that the server has to look where the page came from. What is no browser sends no
 * `Origin`, and passes.
 * @throws TabgridError `forbidden`
 */
export function checkSocketOrigin(request: Request, env: Env): void {
  const origin = request.headers.get('origin');
  if (origin === null || isOwnOrigin(origin, request.url) || listedOrigins(env).includes(origin)) return;
  throw new TabgridError('forbidden', `pages of ${origin} may not connect here; TABGRID_ORIGINS names those that may`);
}
