import type { KwargsInput, SubmittableTask } from '#catalog';
import type { ErrorCode, JsonObject, Signature } from '#protocol';

/** How each task is to be run, be it one or one for each item; what is absent takes the task type’s default. */
export interface TaskOptions {
  queue?: string;
  /** 0 … 9; 9 runs first. */
  priority?: number;
  maxRetries?: number;
  /** `false`: retry at once. A number: the first delay, in seconds. */
  retryBackoff?: boolean | number;
  /** The longest delay, in seconds. */
  retryBackoffMax?: number;
  /** `false`: exactly the back-off’s delay, not a random share of it. */
  retryJitter?: boolean;
  /** Errors after which it is tried again, and no others. */
  retryOn?: ErrorCode[];
  /** Errors after which it is not. */
  dontRetryOn?: ErrorCode[];
  softTimeLimitSeconds?: number;
  timeLimitSeconds?: number;
  /** At most `concurrencyLimit` of one’s tasks with this key run at a time. */
  concurrencyKey?: string;
  /** Default 1. */
  concurrencyLimit?: number;
  labels?: string[];
}

/** How a task is to be run, and when. */
export interface SubmitOptions extends TaskOptions {
  /** It may not run before this many seconds have passed; not together with `eta`. */
  countdownSeconds?: number;
  /** It may not run before this time. */
  eta?: Date;
  /** Seconds from now, or a time, after which it is revoked instead of begun. */
  expires?: number | Date;
  /** How many volunteers must agree. */
  quorum?: number;
  /** A second submission with the same key is answered with the first one’s task. */
  idempotencyKey?: string;
}

/** A task ready to be submitted: its type, its arguments, and how it is to be run. */
export function signature<Name extends SubmittableTask>(
  task: Name,
  kwargs: KwargsInput<Name>,
  options: SubmitOptions = {},
): Signature & { task: Name } {
  const optional = {
    queue: options.queue,
    priority: options.priority,
    countdown: options.countdownSeconds,
    eta: timeOf('eta', options.eta),
    expires: typeof options.expires === 'number' ? options.expires : timeOf('expires', options.expires),
    max_retries: options.maxRetries,
    retry_backoff: options.retryBackoff,
    retry_backoff_max: options.retryBackoffMax,
    retry_jitter: options.retryJitter,
    retry_on: options.retryOn,
    dont_retry_on: options.dontRetryOn,
    soft_time_limit: options.softTimeLimitSeconds,
    time_limit: options.timeLimitSeconds,
    concurrency_key: options.concurrencyKey,
    concurrency_limit: options.concurrencyLimit,
    quorum: options.quorum,
    idempotency_key: options.idempotencyKey,
    labels: options.labels,
  } satisfies Record<Exclude<keyof Signature, 'task' | 'args' | 'kwargs'>, unknown>;
  const given = Object.entries(optional).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(given) as Omit<Signature, 'task'>), task, kwargs: kwargs as JsonObject };
}

/** @throws TypeError that names the option: programs in JavaScript bring text, and dates may be none. */
function timeOf(option: string, time: Date | undefined): string | undefined {
  if (time === undefined) return undefined;
  if (time instanceof Date && !Number.isNaN(time.getTime())) return time.toISOString();
  throw new TypeError(`${option}: expected a Date${option === 'expires' ? ' or seconds' : ''}, got ${String(time)}`);
}
