import { z } from 'zod';
import { faultsOf, type Fault, type Json, type JsonObject } from '#protocol';
import type { TaskType } from './task-type.ts';

/**
 * What can be said against arguments of which some are not known yet: unknown names, too many positional ones, values that do not fit in any form of
 * the task’s arguments. What is missing is no fault.
 * @param front positional arguments that will come in front; null where any number may.
 */
export function partialFaults(
  type: TaskType,
  args: readonly Json[],
  kwargs: Readonly<JsonObject>,
  front: number | null,
): Fault[] {
  const forms = formsOf(type.kwargs);
  const faults = Object.entries(kwargs).flatMap(([name, value]) => memberFaults(forms, name, value, `kwargs.${name}`));
  if (front === null) return faults;
  for (let position = 0; position < front + args.length; position++) {
    const name = type.positional[position];
    const isKnown = position >= front;
    const path = isKnown ? `args.${position - front}` : 'args';
    if (name === undefined) {
      const what = isKnown ? '' : '; with "immutable" it is not given the result of the part before';
      faults.push({ path, message: `expected at most ${type.positional.length} positional arguments${what}` });
      break;
    }
    if (Object.hasOwn(kwargs, name)) {
      faults.push({ path: `kwargs.${name}`, message: `given twice, also as positional argument ${position}` });
    } else if (isKnown) {
      faults.push(...memberFaults(forms, name, args[position - front] ?? null, path));
    }
  }
  return faults;
}

type Form = z.ZodObject;

/** The objects that a task’s arguments may be; none where its schema is of another kind. */
function formsOf(schema: z.ZodType): Form[] {
  if (schema instanceof z.ZodObject) return [schema];
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap(formsOf);
  return [];
}

/** The faults of the form that fits best; none where one fits. */
function memberFaults(forms: readonly Form[], name: string, value: Json, path: string): Fault[] {
  if (forms.length === 0) return [];
  let best: Fault[] | null = null;
  for (const { shape } of forms) {
    if (!Object.hasOwn(shape, name)) continue;
    const parsed = (shape[name] as z.ZodType).safeParse(value);
    if (parsed.success) return [];
    const faults = faultsOf(parsed.error).map((fault) => ({
      path: fault.path === '' ? path : `${path}.${fault.path}`,
      message: fault.message,
    }));
    if (best === null || faults.length < best.length) best = faults;
  }
  return best ?? [{ path, message: 'unknown key' }];
}
