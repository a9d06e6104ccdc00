import { UsageError } from './errors.ts';

/** Reads an option’s whole number; undefined stays so. @throws UsageError that names the option. */
export function parseWholeNumber(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value)) {
    throw new UsageError(`${option}: expected a whole number of at least ${least}, got ${JSON.stringify(text)}`);
  }
  return value;
}
