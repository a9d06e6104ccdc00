import type { Command } from 'commander';
import type { ControlCommand, JsonObject } from '#protocol';
import { connect, withConnection } from '../lib/connection.ts';
import { askOptions, tellMissing, withDestination, type DestinationFlags } from '../lib/destination.ts';
import { CommandError, UsageError } from '../lib/errors.ts';
import { createOutput, table } from '../lib/output.ts';
import { parseWholeNumber } from '../lib/whole-number.ts';

interface Subcommand {
  readonly command: ControlCommand;
  /** Celery’s name, where it is another one. */
  readonly alias?: string;
  readonly usage: readonly string[];
  readonly summary: string;
  readonly argumentsOf: (given: readonly (string | undefined)[]) => JsonObject;
}

const none = (): JsonObject => ({});
const count = ([n]: readonly (string | undefined)[]): JsonObject => ({ n: parseWholeNumber('n', n, 1) ?? 1 });
const queue = ([name = '']: readonly (string | undefined)[]): JsonObject => ({ queue: name });

const subcommands: readonly Subcommand[] = [
  {
    command: 'shutdown',
    usage: [],
    summary: 'end them in good order: what they hold is finished or handed back',
    argumentsOf: none,
  },
  {
    command: 'restart',
    alias: 'pool_restart',
    usage: [],
    summary: 'replace their threads, each when its task is over',
    argumentsOf: none,
  },
  {
    command: 'grow',
    alias: 'pool_grow',
    usage: ['[n]'],
    summary: 'compute n more tasks at a time',
    argumentsOf: count,
  },
  {
    command: 'shrink',
    alias: 'pool_shrink',
    usage: ['[n]'],
    summary: 'compute n fewer tasks at a time',
    argumentsOf: count,
  },
  {
    command: 'add_queue',
    alias: 'add_consumer',
    usage: ['<queue>'],
    summary: 'take tasks from this queue too',
    argumentsOf: queue,
  },
  {
    command: 'cancel_queue',
    alias: 'cancel_consumer',
    usage: ['<queue>'],
    summary: 'take no more tasks from this queue',
    argumentsOf: queue,
  },
  {
    command: 'rate_limit',
    usage: ['<task>', '<rate>'],
    summary: 'begin tasks of a type (or of all, as `all`) no faster than 10/s, 100/m, 1000/h; `none` lifts it',
    argumentsOf: ([task, rate]) => ({
      ...(task === undefined || task === 'all' ? {} : { task }),
      rate_limit: rate === undefined || rate === 'none' || rate === '0' ? null : rate,
    }),
  },
  {
    command: 'time_limit',
    usage: ['<task>', '<soft>', '[hard]'],
    summary: 'tighten the time limits of a task type, in seconds; `none` lifts one',
    argumentsOf: ([task = '', soft, hard]) => ({
      task,
      soft_time_limit: seconds('soft', soft),
      time_limit: seconds('hard', hard),
    }),
  },
];

export function addControl(program: Command): void {
  const control = program
    .command('control')
    .summary('ask workers for something')
    .description(
      'Asks all connected workers, or those that -d names, for something, and prints their answers. It holds as long as a worker runs. Tasks are revoked by `tabgrid tasks revoke`.',
    );
  for (const { command, alias, usage, summary, argumentsOf } of subcommands) {
    const sub = withDestination(withConnection(control.command([command, ...usage].join(' '))));
    if (alias !== undefined) sub.alias(alias);
    sub
      .summary(summary)
      .description(`Workers: ${summary}.`)
      .action(async (...given: unknown[]) => {
        const flags = given.at(-2) as DestinationFlags;
        const args = argumentsOf(given.slice(0, usage.length) as (string | undefined)[]);
        await ask(command, args, flags);
      });
  }
}

async function ask(command: ControlCommand, args: JsonObject, flags: DestinationFlags): Promise<void> {
  const grid = await connect(flags);
  const answers = await grid.control(command, args, askOptions(flags));
  createOutput(flags.json).result(answers, () =>
    table(answers.replies, {
      worker: ({ name }) => name ?? '',
      id: ({ worker_id: id }) => id ?? '',
      answer: ({ error }) => error ?? 'done',
    }),
  );
  tellMissing(answers);
  if (answers.replies.length === 0) throw new CommandError('no worker is connected');
  if (answers.replies.some(({ error }) => error !== undefined)) throw new CommandError('not every worker does that');
}

/** @throws UsageError */
function seconds(name: string, text: string | undefined): number | null {
  if (text === undefined || text === 'none') return null;
  const value = Number(text);
  if (!(value > 0)) throw new UsageError(`${name}: expected seconds above 0, or none, got ${JSON.stringify(text)}`);
  return value;
}
