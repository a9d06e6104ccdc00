import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import { faultsOf, type JsonObject } from '#protocol';
import { UsageError } from './errors.ts';

/** Reads a JSON object from the command line, or from a file as `@file`. @throws UsageError that names the option. */
export async function parseJsonObject(option: string, text: string): Promise<JsonObject> {
  const value = parseJson(option, text.startsWith('@') ? await readText(text.slice(1)) : text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${option}: expected a JSON object such as {"seed": 1}`);
  }
  return value as JsonObject;
}

/** @param path `-` for standard input. @throws UsageError */
export async function readText(path: string): Promise<string> {
  if (path === '-') return text(process.stdin);
  return readFile(path, 'utf8').catch(() => {
    throw new UsageError(`cannot read ${path}`);
  });
}

export function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UsageError(`${what} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A document as it is written, having passed its schema. @param what such as `a campaign`. @throws UsageError with every fault and the file’s name. */
export function parseDocument<Input>(what: string, path: string, text: string, schema: z.ZodType): Input {
  const value = parseJson(path, text);
  const parsed = schema.safeParse(value);
  if (parsed.success) return value as Input;
  const faults = faultsOf(parsed.error).map(
    (fault) => `\n  ${fault.path === '' ? '' : `${fault.path}: `}${fault.message}`,
  );
  throw new UsageError(`${path} is not ${what}:${faults.join('')}`);
}
