import { TabgridError } from '#protocol';
import { errorOf } from '../../worker/index.ts';

/**
 * One request to the edge that this page came from.
 *
 * @throws TabgridError with the edge’s code; `unavailable` when it cannot be reached.
 */
export async function request(path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(path, { cache: 'no-store', ...init }).catch((cause: unknown) => {
    throw new TabgridError('unavailable', 'The server cannot be reached.', { cause });
  });
  if (response.ok) return (await response.json()) as unknown;
  throw (
    (await errorOf(response)) ??
    new TabgridError(response.status >= 500 ? 'unavailable' : 'internal', `The server answered ${response.status}.`)
  );
}

/** The same with a token. */
export function requestAs(token: string, path: string): Promise<unknown> {
  return request(path, { headers: { authorization: `Bearer ${token}` } });
}
