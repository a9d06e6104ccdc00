import type { Command } from 'commander';
import { connect, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { UsageError } from '../lib/errors.ts';
import { createOutput } from '../lib/output.ts';

interface LimitFlags extends ConnectionOptions {
  rate?: string;
  time?: string;
  softTime?: string;
}

const none = 'none';

/** `tabgrid limit`: what holds for a task type over all workers. */
export function addLimit(program: Command): void {
  withConnection(program.command('limit'))
    .summary('limit a task type over all workers')
    .description(
      `Limits how fast tasks of a type begin over all workers and queues, and how long they may take. "${none}" goes back to the default.`,
    )
    .argument('<task>', 'its name')
    .option('--rate <rate>', `tasks that begin, such as 10/s, 100/m or 1000/h, or ${none}`)
    .option('--time <seconds>', `hard time limit of tasks that name none and begin from now on, or ${none}`)
    .option('--soft-time <seconds>', `soft time limit, or ${none}`)
    .action(async (task: string, flags: LimitFlags) => {
      const { rate, time, softTime } = flags;
      if (rate === undefined && time === undefined && softTime === undefined) {
        throw new UsageError('expected --rate, --time or --soft-time');
      }
      const view = await (
        await connect(flags)
      ).flow.setTaskType(task, {
        ...(rate === undefined ? {} : { rate_limit: rate === none ? null : rate }),
        ...(time === undefined ? {} : { time_limit: secondsOf('--time', time) }),
        ...(softTime === undefined ? {} : { soft_time_limit: secondsOf('--soft-time', softTime) }),
      });
      createOutput(flags.json).result(
        view,
        () =>
          `${view.name}: ${view.rate_limit ?? 'any rate'}, soft limit ${view.soft_time_limit} s, hard limit ${view.time_limit} s`,
      );
    });
}

function secondsOf(option: string, text: string): number | null {
  if (text === none) return null;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new UsageError(`${option}: expected seconds, or ${none}, got ${text}`);
}
