import type { Command } from 'commander';
import { eventTypes, type EventType, type GridEvent } from '#protocol';
import { connect, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { UsageError } from '../lib/errors.ts';
import { createOutput } from '../lib/output.ts';
import { untilInterrupted } from '../lib/signals.ts';
import { parseWholeNumber } from '../lib/whole-number.ts';

interface EventsFlags extends ConnectionOptions {
  task?: string;
  campaign?: string;
  types?: string[];
  after?: string;
  dump: boolean;
}

export function addEvents(program: Command): void {
  withConnection(program.command('events'))
    .summary('watch what happens')
    .description('Prints events as they happen, one a line, until Ctrl-C.')
    .option('--task <id>', 'only those of one task')
    .option('--campaign <id>', 'only those of one campaign')
    .option('--types <type...>', 'only these types, such as task-failed')
    .option('--after <seq>', 'begin after this sequence number')
    .option('--dump', 'with all that an event holds', false)
    .action(async (flags: EventsFlags) => {
      const output = createOutput(flags.json);
      const after = parseWholeNumber('--after', flags.after, 0);
      const grid = await connect(flags);
      const events = grid.events({
        ...(flags.task === undefined ? {} : { taskId: flags.task }),
        ...(flags.campaign === undefined ? {} : { campaignId: flags.campaign }),
        ...(flags.types === undefined ? {} : { types: flags.types.map(parseType) }),
        ...(after === undefined ? {} : { after }),
      });
      void untilInterrupted().then(() => events.close());
      await events.opened();
      output.note('Listening; Ctrl-C stops.');
      for await (const event of events) output.result(event, () => describe(event, flags.dump));
    });
}

function describe(event: GridEvent, dump: boolean): string {
  const { seq, type, time, data, ...rest } = event;
  const about = [rest.task, rest.task_id, rest.campaign_id, rest.worker].filter((part) => part !== undefined);
  const detail = dump && data !== undefined ? `  ${JSON.stringify(data)}` : '';
  return `${time}  ${seq}  ${type.padEnd(18)}  ${about.join('  ')}${detail}`;
}

function parseType(text: string): EventType {
  const type = eventTypes.find((known) => known === text);
  if (type === undefined) throw new UsageError(`--types: expected some of ${eventTypes.join(', ')}`);
  return type;
}
