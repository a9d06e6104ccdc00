import { faultsOf, TabgridError, type Json, type JsonObject } from '#protocol';
import type { TaskType } from './task-type.ts';

export interface ParsedArguments {
  /** Keyword arguments with defaults filled in and positional ones merged. */
  kwargs: JsonObject;
  /** What a worker must have, sorted, the task’s own name first. */
  needs: string[];
  /** Items that time limits are multiplied by. */
  items: number;
}

/**
 * Checks a task’s arguments against its type.
 * @throws TabgridError `invalid_arguments`, with the path of each fault.
 */
export function parseArguments(type: TaskType, args: readonly Json[], kwargs: Readonly<JsonObject>): ParsedArguments {
  const merged: JsonObject = { ...kwargs };
  args.forEach((value, position) => {
    const name = type.positional[position];
    if (name === undefined) {
      throw invalid(type, [
        { path: `args.${position}`, message: `expected at most ${type.positional.length} positional arguments` },
      ]);
    }
    if (Object.hasOwn(merged, name))
      throw invalid(type, [{ path: `kwargs.${name}`, message: `given twice, also as args.${position}` }]);
    merged[name] = value;
  });
  const parsed = type.kwargs.safeParse(merged);
  if (!parsed.success) {
    throw invalid(
      type,
      faultsOf(parsed.error).map((fault) => ({
        ...fault,
        path: fault.path === '' ? 'kwargs' : `kwargs.${fault.path}`,
      })),
    );
  }
  return {
    kwargs: parsed.data as JsonObject,
    needs: [type.name, ...(type.needs?.(parsed.data as object) ?? []).sort()],
    items: type.items?.(parsed.data) ?? 1,
  };
}

function invalid(type: TaskType, faults: { path: string; message: string }[]): TabgridError {
  const first = faults[0];
  return new TabgridError(
    'invalid_arguments',
    `${type.name}: ${first ? `${first.path}: ${first.message}` : 'arguments do not fit'}`,
    {
      details: { faults },
    },
  );
}
