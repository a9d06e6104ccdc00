import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = Record<string, Json>;

/** Any JSON value. `JSON.parse` can make nothing else, so that only its presence is checked. */
export const jsonSchema = z.custom<Json>((value) => value !== undefined, 'expected a JSON value');
export const jsonObjectSchema = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'expected an object',
);

/** True when arrays and objects lie within one another more than `maxDepth` levels deep. Needs no recursion. */
export function isDeeperThan(value: unknown, maxDepth: number): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    level = level
      .filter((each) => typeof each === 'object' && each !== null)
      .flatMap((each) => Object.values(each) as unknown[]);
    if (depth >= maxDepth && level.length > 0) return true;
  }
  return false;
}

const quote = 0x22;
const backslash = 0x5c;

/** The same of a JSON text that has not been parsed. Counts brackets outside of strings. */
export function isTextDeeperThan(text: string, maxDepth: number): boolean {
  if (text.length <= maxDepth) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === backslash) i++;
      else if (code === quote) inString = false;
    } else if (code === quote) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/** True when a text has more bytes in UTF-8. */
export function isLongerThan(text: string, maxBytes: number): boolean {
  // A UTF-16 unit takes up to three.
  if (text.length * 3 <= maxBytes) return false;
  return text.length > maxBytes || utf8ToBytes(text).length > maxBytes;
}

/**
 * Canonical JSON (RFC 8785): keys in UTF-16 order, numbers and strings as ECMAScript writes them; numbers that are not finite become
 * null, members that are undefined vanish. Equal values give equal text on every engine.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') {
    return typeof value === 'number' && Number.isFinite(value)
      ? JSON.stringify(value)
      : typeof value === 'boolean'
        ? String(value)
        : 'null';
  }
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`canonical JSON has no ${typeof value}`);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** JSON whose characters are all ASCII, for headers and tokens, which take no others. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** SHA-256 in lower-case hex, of bytes or of a text’s UTF-8. */
export function sha256Hex(data: Uint8Array | string): string {
  return bytesToHex(sha256(typeof data === 'string' ? utf8ToBytes(data) : data));
}

/** What two replicas of a task are compared by. */
export function resultDigest(result: unknown): string {
  return sha256Hex(canonicalJson(result));
}
