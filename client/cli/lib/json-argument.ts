import { readFile } from 'node:fs/promises';
import type { JsonObject } from '#protocol';
import { UsageError } from './errors.ts';

/** Reads a JSON object from the command line, or from a file as `@file`. @throws UsageError that names the option. */
export async function parseJsonObject(option: string, text: string): Promise<JsonObject> {
  const value = parseJson(option, text.startsWith('@') ? await readText(text.slice(1)) : text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${option}: expected a JSON object such as {"seed": 1}`);
  }
  return value as JsonObject;
}

/** @throws UsageError */
export async function readText(path: string): Promise<string> {
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
