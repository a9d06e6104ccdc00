import { KernelInputError } from '#kernels';
import { errorCodes, isLongerThan, limits, TabgridError, type ErrorCode, type Outcome } from '#protocol';

const maxMessageChars = 10_000;
const maxTracebackChars = 20_000;

/** What an error that a body threw means for its task. */
export function failureOf(error: unknown): Extract<Outcome, { type: 'failure' }> {
  if (error instanceof TabgridError) return failure(error.code, error.message, error.stack);
  if (error instanceof KernelInputError) return failure('invalid_input', error.message, error.stack);
  if (error instanceof Error) return failure('task_failed', `${error.name}: ${error.message}`, error.stack);
  return failure('task_failed', String(error), undefined);
}

/** @param code Decides whether another attempt makes sense. */
export function failure(code: ErrorCode, message: string, stack?: string): Extract<Outcome, { type: 'failure' }> {
  return {
    type: 'failure',
    error: {
      type: code,
      message: message.slice(0, maxMessageChars),
      ...(stack === undefined ? {} : { traceback: stack.slice(0, maxTracebackChars) }),
    },
    retryable: errorCodes[code].retryable,
  };
}

/** A result as it will travel: plain JSON, numbers that are not finite as null. A result over the limit is a failure that no retry mends. */
export function successOf(result: unknown): Outcome {
  const json = JSON.stringify(result) as string | undefined;
  if (json === undefined) return failure('task_failed', 'The body of the task returned nothing.');
  if (isLongerThan(json, limits.maxResultBytes)) {
    const bytes = new TextEncoder().encode(json).length;
    return failure(
      'body_too_large',
      `The result has ${bytes} bytes, over the limit of ${limits.maxResultBytes}: write it as a file.`,
    );
  }
  return { type: 'success', result: JSON.parse(json) as never };
}
