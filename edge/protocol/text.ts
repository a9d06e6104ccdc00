import { z } from 'zod';
import type { Fault } from './errors.ts';
import { limits } from './limits.ts';

/** A queue’s or worker’s name. */
export const nameSchema = z
  .string()
  .min(1)
  .max(limits.maxNameChars)
  .regex(/^[\w.@:-]+$/, 'expected letters, digits and . _ - @ :');

/** A column of a table: what people write in the header of a CSV file. */
export const columnNameSchema = z
  .string()
  .min(1)
  .max(limits.maxNameChars)
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  .regex(/^(?!__proto__$)[^\u0000-\u001f\u007f]+$/, 'expected a column name without control characters');

/** An ISO 8601 time with a zone. */
export const timeSchema = z.iso.datetime({ offset: true });

/** Seconds, more than none. */
export const durationSchema = z.number().positive().max(limits.maxDurationSeconds);

/** ISO 8601 in UTC with milliseconds, as every response writes times. */
export function isoTime(ms: number): string {
  const wholeMs = Math.trunc(ms);
  const secondMs = Math.floor(wholeMs / 1000) * 1000;
  if (secondMs !== lastSecondMs) {
    lastSecondText = new Date(secondMs).toISOString().slice(0, -'000Z'.length);
    lastSecondMs = secondMs;
  }
  return `${lastSecondText}${String(wholeMs - secondMs).padStart(3, '0')}Z`;
}

/** Times come many to a second, and writing one takes the host a microsecond. */
let lastSecondMs = NaN;
let lastSecondText = '';

/** Absolute, without empty, `.` or `..` segments, so that a path can never climb out; no control characters, no backslash. */
export const filePathSchema = z
  .string()
  .max(limits.maxPathChars)
  .refine(isFilePath, 'expected an absolute path such as /datasets/barrel.csv, without empty, "." or ".." segments');

export function isFilePath(path: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (!path.startsWith('/') || path.length < 2 || /[\u0000-\u001f\u007f\\]/.test(path)) return false;
  return path
    .slice(1)
    .split('/')
    .every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

/** Enough to see what is wrong; an answer with all of them could be longer than the request. */
export const maxFaults = 100;

/** Turns a schema’s complaints into the faults of an error’s `details`: one for each wrong place, an unknown key at its own path. */
export function faultsOf(error: z.ZodError): Fault[] {
  return error.issues.flatMap((issue) => issueFaults(issue)).slice(0, maxFaults);
}

function issueFaults(issue: z.core.$ZodIssue, parent: readonly PropertyKey[] = []): Fault[] {
  const path = [...parent, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key].map(String).join('.'), message: 'unknown key' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const [nearest = []] = [...issue.errors].sort((a, b) => distance(a) - distance(b));
    return nearest.flatMap((inner) => issueFaults(inner, path));
  }
  return [{ path: path.map(String).join('.'), message: issue.message }];
}

/** How far a value is from one form of a union: a form of another type or discriminator (a literal) is farther than any fault within the form. */
function distance(issues: readonly z.core.$ZodIssue[]): number {
  const otherForm = issues.some(
    (issue) =>
      (issue.code === 'invalid_type' && issue.path.length === 0) ||
      (issue.code === 'invalid_value' && issue.values.length === 1 && issue.path.length === 1),
  );
  return issues.length + (otherForm ? 1000 : 0);
}
