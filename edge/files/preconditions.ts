import { TabgridError } from '#protocol';

/** What a request demands of the version that is there (RFC 9110 §13); null where it says nothing. */
export interface Preconditions {
  readonly ifMatch: string | null;
  readonly ifNoneMatch: string | null;
}

export const noPreconditions: Preconditions = { ifMatch: null, ifNoneMatch: null };

export function preconditionsOf(headers: Headers): Preconditions {
  return { ifMatch: headers.get('if-match'), ifNoneMatch: headers.get('if-none-match') };
}

/** The entity tag of a version: its sha-256 in quotes. */
export function etagOf(sha256: string): string {
  return `"${sha256}"`;
}

/** True when a list of entity tags, or `*`, names this version; `current` is null where there is none. */
export function namesVersion(tags: string, current: string | null): boolean {
  if (current === null) return false;
  return tags.split(',').some((tag) => {
    const plain = tag.trim().replace(/^W\//, '');
    return plain === '*' || plain === etagOf(current);
  });
}

/**
 * Guards a change of a file.
 * @param current the sha-256 of the version that is there, or null.
 * @throws TabgridError `precondition_failed`
 */
export function checkPreconditions({ ifMatch, ifNoneMatch }: Preconditions, current: string | null): void {
  if (ifMatch !== null && !namesVersion(ifMatch, current)) {
    throw failed('If-Match names another version', current);
  }
  if (ifNoneMatch !== null && namesVersion(ifNoneMatch, current)) {
    throw failed('If-None-Match names the version that is there', current);
  }
}

function failed(message: string, current: string | null): TabgridError {
  return new TabgridError('precondition_failed', message, { details: { current } });
}
