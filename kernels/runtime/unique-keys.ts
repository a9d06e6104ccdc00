import { KernelInputError } from './errors.ts';

/** Strings, with the colon that makes one a key, and the ends of objects and lists. */
const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g;

/**
 * Refuses JSON in which an object names a member twice: readers differ in which one they take.
 *
 * @param text JSON that parses
 * @throws KernelInputError naming `field`
 */
export function requireUniqueKeys(field: string, text: string): void {
  const open: Set<string>[] = [];
  for (const [token, string, colon] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (string !== undefined && colon !== undefined) {
      const key: unknown = JSON.parse(string);
      const keys = open.at(-1);
      if (typeof key !== 'string' || keys === undefined) continue;
      if (keys.has(key)) throw new KernelInputError(field, 'each name once', key);
      keys.add(key);
    }
  }
}
