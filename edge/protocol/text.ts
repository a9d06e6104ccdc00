import { z } from 'zod';
import { limits } from './limits.ts';

/** A queue’s or worker’s name. */
export const nameSchema = z
  .string()
  .min(1)
  .max(limits.maxNameChars)
  .regex(/^[\w.@:-]+$/, 'expected letters, digits and . _ - @ :');

/** An ISO 8601 time with a zone. */
export const timeSchema = z.iso.datetime({ offset: true });

/** ISO 8601 in UTC with milliseconds, as every response writes times. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

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

/** Turns a schema’s complaints into the faults of an error’s `details`. */
export function faultsOf(error: z.ZodError): { path: string; message: string }[] {
  return error.issues.map((issue) => ({ path: issue.path.map(String).join('.'), message: issue.message }));
}
