import { isErrorCode, TabgridError } from '#protocol';

/**
 * Asks over plain HTTP why a WebSocket handshake failed.
 *
 * @returns the refusal, or null when the route would take a WebSocket or cannot be reached at all.
 */
export async function diagnose(url: string, token: string, fetchIt: typeof fetch): Promise<TabgridError | null> {
  try {
    const response = await fetchIt(url, { headers: { authorization: `Bearer ${token}` } });
    const error = await errorOf(response);
    // The token is fine: only the upgrade was missing in this request.
    return error?.code === 'upgrade_required' ? null : error;
  } catch {
    return null;
  }
}

/** The error that a response carries; null for a success or a body that is none of ours. */
export async function errorOf(response: Response): Promise<TabgridError | null> {
  if (response.ok) return null;
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    return null;
  }
  const error = (body as { error?: { code?: unknown; message?: unknown } } | null)?.error;
  if (!isErrorCode(error?.code)) return null;
  return new TabgridError(error.code, typeof error.message === 'string' ? error.message : error.code);
}
