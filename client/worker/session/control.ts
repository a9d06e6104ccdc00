import { findTaskType } from '#catalog';
import {
  nameSchema,
  parseRate,
  TabgridError,
  type ControlCommand,
  type Json,
  type JsonObject,
  type Rate,
} from '#protocol';

/** A control command with its arguments checked. */
export type ControlOrder =
  | { type: 'ping' }
  | { type: 'stats' }
  | { type: 'shutdown' }
  | { type: 'restart' }
  | { type: 'resize'; by: number }
  | { type: 'add_queue'; queue: string }
  | { type: 'cancel_queue'; queue: string }
  /** Of one task type, or of all together. */
  | { type: 'rate_limit'; task: string | null; text: string | null; rate: Rate | null }
  | { type: 'time_limit'; task: string; softMs: number | null; hardMs: number | null };

/**
 * What a command asks for, or why this worker does not do it.
 *
 * @param queues What the worker takes from now.
 */
export function orderOf(
  command: ControlCommand,
  args: JsonObject,
  queues: ReadonlySet<string>,
): { order: ControlOrder; error: null } | { order: null; error: string } {
  try {
    const order = parseControl(command, args);
    if (order.type === 'cancel_queue' && queues.size === 1 && queues.has(order.queue)) {
      throw new TabgridError('conflict', `queue: ${order.queue} is the only one that this worker takes from`);
    }
    return { order, error: null };
  } catch (error) {
    return { order: null, error: (error instanceof Error ? error.message : String(error)).slice(0, 1000) };
  }
}

/**
 * Arguments: `grow` and `shrink` take `{n: 1}`, `add_queue` and `cancel_queue` take `{queue}`, `rate_limit` takes `{rate_limit, task?}`
 * (null lifts it), `time_limit` takes `{task, soft_time_limit?, time_limit?}` in seconds (without both it lifts them).
 *
 * @throws TabgridError `invalid_request` naming the argument.
 */
function parseControl(command: ControlCommand, args: JsonObject): ControlOrder {
  switch (command) {
    case 'ping':
    case 'stats':
    case 'shutdown':
    case 'restart':
      return { type: command };
    case 'grow':
      return { type: 'resize', by: count(args.n) };
    case 'shrink':
      return { type: 'resize', by: -count(args.n) };
    case 'add_queue':
    case 'cancel_queue':
      return { type: command, queue: queueName(args.queue) };
    case 'rate_limit':
      return rateLimit(args.task === undefined || args.task === null ? null : taskName(args.task), args.rate_limit);
    case 'time_limit':
      return timeLimit(args);
  }
}

function count(value: Json | undefined): number {
  const n = value ?? 1;
  if (typeof n === 'number' && Number.isInteger(n) && n >= 1 && n <= 1024) return n;
  throw new TabgridError('invalid_request', `n: expected a whole number from 1 to 1024, got ${JSON.stringify(n)}`);
}

function queueName(value: Json | undefined): string {
  const parsed = nameSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TabgridError('invalid_request', `queue: expected a queue’s name, got ${JSON.stringify(value ?? null)}`);
}

function taskName(value: Json | undefined): string {
  const type = typeof value === 'string' ? findTaskType(value) : undefined;
  if (type !== undefined) return type.name;
  throw new TabgridError('unknown_task', `task: expected a task type’s name, got ${JSON.stringify(value ?? null)}`);
}

function rateLimit(task: string | null, value: Json | undefined): ControlOrder {
  if (value === undefined || value === null) return { type: 'rate_limit', task, text: null, rate: null };
  if (typeof value !== 'string') {
    throw new TabgridError('invalid_request', `rate_limit: expected text or null, got ${JSON.stringify(value)}`);
  }
  return { type: 'rate_limit', task, text: value, rate: parseRate(value) };
}

function timeLimit(args: JsonObject): ControlOrder {
  const task = taskName(args.task);
  const [softMs, hardMs] = [milliseconds('soft_time_limit', args), milliseconds('time_limit', args)];
  if (softMs !== null && hardMs !== null && softMs > hardMs) {
    throw new TabgridError('invalid_request', `soft_time_limit: expected at most time_limit, ${hardMs / 1000}`);
  }
  return { type: 'time_limit', task, softMs, hardMs };
}

function milliseconds(name: string, args: JsonObject): number | null {
  const value = args[name] ?? null;
  if (value === null) return null;
  if (typeof value === 'number' && value > 0) return value * 1000;
  throw new TabgridError('invalid_request', `${name}: expected seconds above 0, got ${JSON.stringify(value)}`);
}
