import type { Command } from 'commander';
import { eventTypes, type EventType, type GridEvent } from '#protocol';
import type { EventFilter, Grid } from '../../sdk/index.ts';
import { connect, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { parseSince } from '../lib/duration.ts';
import { UsageError } from '../lib/errors.ts';
import { createOutput, type Output } from '../lib/output.ts';
import { untilInterrupted } from '../lib/signals.ts';
import { parseWholeNumber } from '../lib/whole-number.ts';

interface EventsFlags extends ConnectionOptions {
  task?: string;
  campaign?: string;
  workflow?: string;
  worker?: string;
  queue?: string;
  label?: string;
  types?: string[];
  after?: string;
  shard?: string;
  since?: string;
  follow: boolean;
  dump: boolean;
}

export function addEvents(program: Command): void {
  withConnection(program.command('events'))
    .summary('watch what happens')
    .description('Prints events as they happen, one a line, until Ctrl-C.')
    .option('--task <id>', 'only those of one task')
    .option('--campaign <id>', 'only those of one campaign')
    .option('--workflow <id>', 'only those of one workflow')
    .option('--worker <id>', 'only those of one worker')
    .option('--queue <name>', 'only those of tasks in one queue')
    .option('--label <label>', 'only those of tasks with this label')
    .option('--types <type...>', 'only these types, such as task-failed')
    .option('--since <time>', 'begin with what has happened since: a duration such as 15m, or an ISO 8601 time')
    .option('--after <seq>', 'begin after this sequence number, of the shard that --shard names')
    .option('--shard <n>', 'only this Broker shard')
    .option('--no-follow', 'end with what is known now')
    .option('--dump', 'with all that an event holds', false)
    .action(async (flags: EventsFlags) => {
      const output = createOutput(flags.json);
      const print = (event: GridEvent): void => output.result(event, () => describe(event, flags.dump));
      const grid = await connect(flags);
      const filter = filterOf(flags);
      const since = flags.since === undefined ? undefined : parseSince('--since', flags.since);
      if (since !== undefined && filter.after !== undefined) throw new UsageError('--since: not together with --after');
      const heard = new Map((await grid.eventPositions()).map(({ shard, newest_seq: seq }) => [shard, seq]));
      if (since !== undefined || filter.after !== undefined || !flags.follow) {
        // What comes after these numbers, the sockets tell.
        for await (const event of grid.eventHistory({ ...filter, ...(since === undefined ? {} : { since }) })) {
          if (event.seq <= (heard.get(event.shard ?? 0) ?? Infinity)) print(event);
        }
      }
      if (flags.follow) await follow(grid, filter, heard, output, print);
    });
}

/** Listens to every shard, or to the one that was named, each from its own number on. */
async function follow(
  grid: Grid,
  filter: EventFilter,
  heard: ReadonlyMap<number, number>,
  output: Output,
  print: (event: GridEvent) => void,
): Promise<void> {
  const shards = [...heard].filter(([shard]) => filter.shard === undefined || filter.shard === shard);
  const streams = shards.map(([shard, after]) => grid.events({ ...filter, shard, after }));
  void untilInterrupted().then(() => streams.forEach((stream) => stream.close()));
  await Promise.all(streams.map((stream) => stream.opened()));
  output.note('Listening; Ctrl-C stops.');
  await Promise.all(
    streams.map(async (stream) => {
      for await (const event of stream) print(event);
    }),
  );
}

function filterOf(flags: EventsFlags): EventFilter {
  const given = {
    taskId: flags.task,
    campaignId: flags.campaign,
    workflowId: flags.workflow,
    worker: flags.worker,
    queue: flags.queue,
    label: flags.label,
    types: flags.types?.flatMap((text) => text.split(',')).map(parseType),
    after: parseWholeNumber('--after', flags.after, 0),
    shard: parseWholeNumber('--shard', flags.shard, 0),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function describe(event: GridEvent, dump: boolean): string {
  const { seq, type, time, data, ...rest } = event;
  const about = [rest.task, rest.task_id, rest.campaign_id, rest.workflow_id, rest.worker].filter(
    (part) => part !== undefined,
  );
  const detail = dump && data !== undefined ? `  ${JSON.stringify(data)}` : '';
  return `${time}  ${seq}  ${type.padEnd(18)}  ${about.join('  ')}${detail}`;
}

function parseType(text: string): EventType {
  const type = eventTypes.find((known) => known === text);
  if (type === undefined) throw new UsageError(`--types: expected some of ${eventTypes.join(', ')}`);
  return type;
}
