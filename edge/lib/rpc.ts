import { errorBody, TabgridError, type ErrorBody } from '#protocol';
import { log } from './log.ts';

export type RpcError = ErrorBody['error'] & {
  /** Seconds. */
  retry_after?: number;
};

/** What every RPC method of an object returns: an error thrown over RPC would arrive without its code. */
export type Reply<T> = { ok: T } | { error: RpcError };

/** Runs the body of an RPC method. A `TabgridError` travels as it is; anything else is logged and becomes `internal`. */
export async function reply<T>(body: () => T | Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: await body() };
  } catch (error) {
    return { error: rpcError(error) };
  }
}

export function rpcError(error: unknown): RpcError {
  if (error instanceof TabgridError) {
    const { retryAfterSeconds } = error;
    return {
      ...errorBody(error).error,
      ...(retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds }),
    };
  }
  log('error', 'internal-error', { error });
  return { code: 'internal', message: 'Something went wrong here; the log has the details.' };
}

/** The answer’s value. @throws TabgridError, the one that was thrown on the other side. */
export function unwrap<T>(reply: Reply<T>): T {
  if ('ok' in reply) return reply.ok;
  const { code, message, details, retry_after: retryAfterSeconds } = reply.error;
  throw new TabgridError(code, message, {
    ...(details === undefined ? {} : { details }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/**
 * Awaits an RPC call and unwraps its answer. An object that is just being restarted or is overloaded becomes `unavailable`.
 * @throws TabgridError
 */
export async function call<T>(pending: Promise<Reply<T>>): Promise<T> {
  let answer: Reply<T>;
  try {
    answer = await pending;
  } catch (error) {
    log('warn', 'object-unreachable', { error });
    throw new TabgridError('unavailable', 'A part of the edge is just restarting; try again.', {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  return unwrap(answer);
}
