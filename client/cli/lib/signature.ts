import type { Command } from 'commander';
import { signatureSchema, type Signature } from '#protocol';
import { parseDuration } from './duration.ts';
import { UsageError } from './errors.ts';
import { parseJsonObject } from './json-argument.ts';
import { parseWholeNumber } from './whole-number.ts';

/** What commands that submit a task, now or later, are told of it. */
export interface SignatureFlags {
  kwargs: string;
  queue?: string;
  priority?: string;
  expires?: string;
  maxRetries?: string;
  retryBackoff?: string;
  retryBackoffMax?: string;
  retryJitter: boolean;
  retryOn?: string[];
  dontRetryOn?: string[];
  softTimeLimit?: string;
  timeLimit?: string;
  concurrencyKey?: string;
  concurrencyLimit?: string;
  label?: string[];
}

export function withSignature(command: Command): Command {
  return command
    .option('--kwargs <json>', 'arguments as a JSON object, or @file', '{}')
    .option('--queue <name>', 'queue; default: the task type’s')
    .option('--priority <n>', '0 to 9, 9 runs first')
    .option('--expires <duration>', 'revoke it if it was not begun by then')
    .option('--max-retries <n>', 'tries after the first')
    .option('--retry-backoff <duration>', 'first delay before another try, which then doubles; none: at once')
    .option('--retry-backoff-max <duration>', 'longest delay')
    .option('--no-retry-jitter', 'wait exactly so long, not a random share of it')
    .option('--retry-on <codes...>', 'errors after which it is tried again, and no others')
    .option('--dont-retry-on <codes...>', 'errors after which it is not, such as worker_lost')
    .option('--soft-time-limit <duration>', 'when it is asked to end')
    .option('--time-limit <duration>', 'when it is ended')
    .option('--concurrency-key <key>', 'of those with this key only so many run at a time')
    .option('--concurrency-limit <n>', 'how many; default: 1')
    .option('--label <label...>', 'labels by which it can be found');
}

/** @param once further members, of tasks that are submitted now. @throws UsageError that names the option. */
export async function signatureOf(
  task: string,
  flags: SignatureFlags,
  once: Pick<Signature, 'countdown' | 'eta' | 'idempotency_key'> = {},
): Promise<Signature> {
  const optional = {
    ...once,
    queue: flags.queue,
    priority: parseWholeNumber('--priority', flags.priority, 0),
    expires: secondsOf('--expires', flags.expires),
    max_retries: parseWholeNumber('--max-retries', flags.maxRetries, 0),
    retry_backoff: flags.retryBackoff === 'none' ? false : secondsOf('--retry-backoff', flags.retryBackoff),
    retry_backoff_max: secondsOf('--retry-backoff-max', flags.retryBackoffMax),
    retry_jitter: flags.retryJitter ? undefined : false,
    retry_on: flags.retryOn,
    dont_retry_on: flags.dontRetryOn,
    soft_time_limit: secondsOf('--soft-time-limit', flags.softTimeLimit),
    time_limit: secondsOf('--time-limit', flags.timeLimit),
    concurrency_key: flags.concurrencyKey,
    concurrency_limit: parseWholeNumber('--concurrency-limit', flags.concurrencyLimit, 1),
    labels: flags.label,
  };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  const kwargs = await parseJsonObject('--kwargs', flags.kwargs);
  const parsed = signatureSchema.safeParse({ task, kwargs, ...given });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`${issue?.path.join('.') ?? 'task'}: ${issue?.message ?? 'does not fit'}`);
}

function secondsOf(option: string, duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : parseDuration(option, duration);
}
