import { claimsSchema, fromBase64Url, type Claims } from '#protocol';

const key = 'tabgrid.invite';

/**
 * The token of an invite link `/#invite=<token>`. The fragment never reaches a server, and is cleared so that it is not shown, bookmarked
 * or shared by accident; the token stays in this tab’s session storage, so that a reload keeps it and a closed tab forgets it.
 */
export function takeInvite(location: Location, history: History, storage: Storage | null): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('invite');
  if (token === null) return storage?.getItem(key) ?? null;
  history.replaceState(history.state, '', location.pathname + location.search);
  if (token === '') return null;
  storage?.setItem(key, token);
  return token;
}

export function forgetInvite(storage: Storage | null): void {
  storage?.removeItem(key);
}

/** What a token says of itself. Only the edge can tell whether it is genuine; the page only chooses its words by it. */
export function claimsOf(token: string): Claims | null {
  const bytes = fromBase64Url(token.split('.')[0] ?? '');
  if (bytes === null) return null;
  try {
    return claimsSchema.parse(JSON.parse(String.fromCharCode(...bytes)));
  } catch {
    return null;
  }
}
