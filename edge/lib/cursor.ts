import { fromBase64Url, invalidRequest, toBase64Url, type Json, type TabgridError } from '#protocol';

/** Cursors: places in lists, as text that callers hand back without looking into it. */

export function writeCursor(place: Json): string {
  return toBase64Url(new TextEncoder().encode(JSON.stringify(place)));
}

/** @throws TabgridError `invalid_request` for what `writeCursor` has not made of such a place. */
export function readCursor<Place extends Json>(cursor: string, isPlace: (value: unknown) => value is Place): Place {
  try {
    const place = JSON.parse(new TextDecoder().decode(fromBase64Url(cursor) ?? undefined)) as unknown;
    if (isPlace(place)) return place;
  } catch {
    // Falls through: what cannot be read is no cursor of ours.
  }
  throw invalidCursor();
}

export function invalidCursor(): TabgridError {
  return invalidRequest({ path: 'cursor', message: 'expected the next_cursor of the page before' });
}
