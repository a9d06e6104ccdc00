import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { faultsOf, nameSchema, TabgridError } from '#protocol';
import type { Component } from './component.ts';

const functionSchema = z.custom<Component['start']>((value) => typeof value === 'function', 'expected a function');

const componentSchema: z.ZodType<Component> = z.object({
  name: nameSchema,
  requires: z.array(nameSchema).optional(),
  before: z.array(nameSchema).optional(),
  stopWithinMs: z.number().min(0).nullable().optional(),
  start: functionSchema,
});

/** A user’s module exports `component`, or several as `components`. */
const moduleSchema = z.union([
  z.object({ component: componentSchema }).transform(({ component }) => [component]),
  z.object({ components: z.array(componentSchema).min(1) }).transform(({ components }) => components),
]);

/** @throws TabgridError `invalid_request` naming the file and what is wrong with it. */
export async function loadComponents(files: readonly string[]): Promise<Component[]> {
  const loaded = await Promise.all(files.map(loadFile));
  return loaded.flat();
}

async function loadFile(file: string): Promise<Component[]> {
  const module = await import(pathToFileURL(resolve(file)).href).then(
    (exports: Record<string, unknown>) => exports,
    (cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new TabgridError('invalid_request', `componentFiles: ${file}: ${message}`, { cause });
    },
  );
  const { component, components } = module;
  if (component === undefined && components === undefined) {
    throw new TabgridError(
      'invalid_request',
      `componentFiles: ${file}: expected an export named component or components`,
    );
  }
  const parsed = (component === undefined ? moduleSchema.options[1] : moduleSchema.options[0]).safeParse(module);
  if (parsed.success) return parsed.data;
  const faults = faultsOf(parsed.error).map((fault) => `${fault.path}: ${fault.message}`);
  throw new TabgridError('invalid_request', `componentFiles: ${file}: ${faults.join('; ')}`);
}
