import type { TaskName } from '#catalog';
import { TabgridError } from '#protocol';
import { KernelInputError } from '#kernels';
import type { TaskBody, TaskContext } from './body.ts';

/** Data that cannot be worked on: no other worker and no later attempt would fare better. */
export function invalidInput(field: string, message: string): TabgridError {
  return new TabgridError('invalid_input', `${field}: ${message}`, { details: { field } });
}

/** Runs `read`; what it refuses is told with the place where it came from. */
export function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KernelInputError) throw invalidInput(place, error.message);
    throw error;
  }
}

/** A body whose kernels’ refusals become `invalid_input`. */
export function withFaults<Name extends TaskName>(body: TaskBody<Name>): TaskBody<Name> {
  return async (context, kwargs) => {
    try {
      return await body(context, kwargs);
    } catch (error) {
      if (error instanceof KernelInputError) throw invalidInput(error.field, error.message);
      throw error;
    }
  };
}

/** Between two steps: lets messages in, and ends the task when its time or its lease is over. */
export async function betweenSteps(context: TaskContext): Promise<void> {
  await context.yield();
  context.softLimit.throwIfAborted();
}
