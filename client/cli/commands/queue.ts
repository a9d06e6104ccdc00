import type { Command } from 'commander';
import type { QueueView } from '../../sdk/index.ts';
import { connect, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { UsageError } from '../lib/errors.ts';
import { createOutput, short, table } from '../lib/output.ts';
import { parseWholeNumber } from '../lib/whole-number.ts';

interface LimitFlags extends ConnectionOptions {
  rate?: string;
  maxLength?: string;
}

interface PurgeFlags extends ConnectionOptions {
  scheduled: boolean;
  force: boolean;
}

/** What lifts a limit, on the command line. */
const none = 'none';

export function addQueue(program: Command): void {
  const queue = program
    .command('queue')
    .summary('list, pause, limit and purge queues')
    .description('How tasks flow through queues. Changing anything needs a token with the scope admin.');

  withConnection(queue.command('list'))
    .summary('list the queues')
    .description('Lists the queues, with what waits and runs in each, and what is set for them.')
    .action(async (flags: ConnectionOptions) => {
      const queues = await (await connect(flags)).flow.queues();
      createOutput(flags.json).result(queues, () => queueTable(queues));
    });

  for (const [name, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    withConnection(queue.command(name))
      .summary(paused ? 'give nothing out of a queue' : 'go on with a queue that was paused')
      .description(
        paused
          ? 'Gives nothing out of a queue any more; what runs goes on, and submitting does.'
          : 'Goes on with a queue that was paused.',
      )
      .argument('<queue>', 'its name')
      .action(async (name: string, flags: ConnectionOptions) => {
        const view = await (await connect(flags)).flow.setQueue(name, { paused });
        createOutput(flags.json).result(view, () => queueTable([view]));
      });
  }

  withConnection(queue.command('limit'))
    .summary('limit how fast its tasks begin, or how many may wait')
    .description(`Limits a queue over all workers. "${none}" lifts a limit.`)
    .argument('<queue>', 'its name')
    .option('--rate <rate>', `tasks that begin, such as 10/s, 100/m or 1000/h, or ${none}`)
    .option('--max-length <n>', `tasks that may wait, or ${none}; over it submitting is refused`)
    .action(async (name: string, flags: LimitFlags) => {
      const { rate, maxLength } = flags;
      if (rate === undefined && maxLength === undefined) throw new UsageError('expected --rate or --max-length');
      const view = await (
        await connect(flags)
      ).flow.setQueue(name, {
        ...(rate === undefined ? {} : { rate_limit: rate === none ? null : rate }),
        ...(maxLength === undefined ? {} : { max_length: lengthOf(maxLength) }),
      });
      createOutput(flags.json).result(view, () => queueTable([view]));
    });

  addPurge(queue);
}

/** `tabgrid purge`, as Celery has it, and `tabgrid queue purge`. */
export function addPurge(program: Command): void {
  withConnection(program.command('purge'))
    .summary('revoke all that waits in queues')
    .description('Revokes all that waits in queues; what runs goes on. Without names: in every queue.')
    .argument('[queue...]', 'their names')
    .option('--scheduled', 'also what waits for its ETA or a retry', false)
    .option('-f, --force', 'without it nothing happens but that the tasks are counted', false)
    .action(async (names: string[], flags: PurgeFlags) => {
      const { flow } = await connect(flags);
      const output = createOutput(flags.json);
      const all = await flow.queues();
      const queues = names.length === 0 ? all : names.map((name) => known(all, name));
      const waiting = queues.reduce((sum, view) => sum + view.waiting + (flags.scheduled ? view.scheduled : 0), 0);
      if (!flags.force) {
        output.result({ waiting, purged: 0 }, () => `${waiting} tasks wait. To revoke them: --force`);
        return;
      }
      let purged = 0;
      for (const { queue } of queues) purged += await flow.purge(queue, { scheduled: flags.scheduled });
      output.result({ purged }, () => `Revoked ${purged} tasks.`);
    });
}

function known(all: readonly QueueView[], name: string): QueueView {
  const found = all.find(({ queue }) => queue === name);
  if (found !== undefined) return found;
  throw new UsageError(`there is no queue ${name}: expected ${all.map(({ queue }) => queue).join(', ')}`);
}

function lengthOf(text: string): number | null {
  return text === none ? null : (parseWholeNumber('--max-length', text, 0) ?? null);
}

/** What is in a queue. */
export const queueColumns = {
  queue: ({ queue }: QueueView) => queue,
  waiting: ({ waiting }: QueueView) => waiting,
  scheduled: ({ scheduled }: QueueView) => scheduled,
  running: ({ running }: QueueView) => running,
  'oldest (s)': ({ oldest_age: age }: QueueView) => (age === null ? '' : short(age)),
};

function queueTable(queues: readonly QueueView[]): string {
  return table(queues, {
    ...queueColumns,
    rate: ({ rate_limit: rate }) => rate ?? '',
    'at most': ({ max_length: length }) => length ?? '',
    '': ({ paused }) => (paused ? 'paused' : ''),
  });
}
