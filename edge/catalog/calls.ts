import { faultsOf, TabgridError, type Fault, type Json, type JsonObject } from '#protocol';
import { parseArguments } from './parse.ts';
import type { TaskType } from './task-type.ts';

/** The calls of an array: one of its task type for each item. */
export interface Calls {
  /** True: a list is the positional arguments, an object the keyword arguments. What is neither is the first argument; without `star` every item is. */
  readonly star: boolean;
  /** Keyword arguments that all calls share. */
  readonly kwargs: JsonObject;
}

/**
 * The arguments of one call, checked, with their defaults.
 * @throws TabgridError `invalid_arguments`, with the path of each fault in the call.
 */
export function argumentsOfCall(type: TaskType, calls: Calls, item: Json): JsonObject {
  const { args, kwargs } = partsOf(item, calls);
  const parsed = parseArguments(type, args, kwargs);
  const provided = needsOfCalls(type, calls);
  const lacking = parsed.needs.find((need) => !provided.includes(need));
  if (lacking === undefined) return parsed.kwargs;
  throw invalid(`${lacking} must be among the arguments that all calls share, by which the worker is chosen`);
}

function partsOf(item: Json, { star, kwargs }: Calls): { args: Json[]; kwargs: JsonObject } {
  if (!star || typeof item !== 'object' || item === null) return { args: [item], kwargs };
  if (Array.isArray(item)) return { args: item, kwargs };
  const twice = Object.keys(item).find((name) => Object.hasOwn(kwargs, name));
  if (twice !== undefined) throw invalid(`${twice} is given twice, also to all calls`);
  return { args: [], kwargs: { ...kwargs, ...item } };
}

function invalid(message: string): TabgridError {
  return new TabgridError('invalid_arguments', message);
}

/** What is wrong with an array of such calls, whatever its items are; paths as in the array. None: workers can make them. */
export function faultsOfCalls(type: TaskType, { star, kwargs }: Calls): Fault[] {
  if (type.internal === true || !type.runsOn.some((place) => place === 'tab' || place === 'node')) {
    return [{ path: 'task', message: `expected a task type that workers run, which ${type.name} is not` }];
  }
  if (!star && type.positional.length === 0) {
    return [{ path: 'task', message: `expected one with a positional argument, which ${type.name} has not` }];
  }
  const parsed = type.kwargs.safeParse(kwargs);
  if (parsed.success) return [];
  return faultsOf(parsed.error)
    .filter(({ path }) => Object.hasOwn(kwargs, path.split('.')[0] ?? ''))
    .map(({ path, message }) => ({ path: `kwargs.${path}`, message }));
}

/** What a worker must provide for such calls. What items bring cannot be known here: a worker that lacks it refuses the call. */
export function needsOfCalls(type: TaskType, { kwargs }: Calls): string[] {
  return [type.name, ...(type.needs?.(kwargs) ?? []).sort()];
}
