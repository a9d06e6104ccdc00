import { Option, type Command } from 'commander';
import {
  catchUpPolicies,
  faultsOf,
  scheduleSpecSchema,
  solarEvents,
  type CatchUp,
  type ScheduleSpec,
  type ScheduleSummary,
  type Signature,
  type SolarEvent,
  type Timetable,
} from '#protocol';
import { connect, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { parseDuration } from '../lib/duration.ts';
import { UsageError } from '../lib/errors.ts';
import { createOutput, table } from '../lib/output.ts';
import { signatureOf, withSignature, type SignatureFlags } from '../lib/signature.ts';

interface AddFlags extends ConnectionOptions, SignatureFlags {
  every?: string;
  crontab?: string;
  timezone?: string;
  solar?: SolarEvent;
  lat?: string;
  lon?: string;
  at?: string;
  catchUp: CatchUp;
  paused: boolean;
}

export function addBeat(program: Command): void {
  const beat = program
    .command('beat')
    .summary('tasks that come again')
    .description('Schedules: tasks that are submitted at intervals, by crontab, by the sun, or once at a time.');

  withConnection(beat.command('list'))
    .summary('list schedules')
    .description('Lists schedules with their last and next run; an admin’s token sees everyone’s.')
    .action(async (flags: ConnectionOptions) => {
      const found: ScheduleSummary[] = [];
      for await (const schedule of (await connect(flags)).schedules.list()) found.push(schedule);
      createOutput(flags.json).result(found, () =>
        table(found, {
          name: (one) => one.name,
          owner: (one) => one.owner,
          task: (one) => one.task,
          when: (one) => whenOf(one.schedule),
          'last run': (one) => one.last_run ?? '',
          'next run': (one) => (one.enabled ? (one.next_run ?? 'never') : 'paused'),
          runs: (one) => one.total_runs,
        }),
      );
    });

  withConnection(beat.command('show'))
    .summary('all that is known of a schedule')
    .description('Shows a schedule with what it submits, its last run and its next ones.')
    .argument('<name>', 'of the schedule')
    .action(async (name: string, flags: ConnectionOptions) => {
      const view = await (await connect(flags)).schedules.get(name);
      createOutput(flags.json).result(view, () => JSON.stringify(view, null, 2));
    });

  withSignature(withConnection(beat.command('add')))
    .summary('make or replace a schedule')
    .description(
      'Makes a schedule, or replaces the one of that name. Exactly one of --every, --crontab, --solar and --at says when.',
    )
    .argument('<name>', 'letters, digits and . _ - @ :')
    .argument('<task>', 'name of a task type; `tabgrid inspect registered` lists them')
    .option('--every <duration>', 'such as 90s, 15m, 12h or 30d')
    .option('--crontab <fields>', 'five fields, such as "0 3 * * mon-fri"')
    .option('--timezone <zone>', 'of the crontab, such as Europe/Vienna; default: UTC')
    .addOption(new Option('--solar <event>', 'of the sun, with --lat and --lon').choices(solarEvents))
    .option('--lat <degrees>', 'north is positive')
    .option('--lon <degrees>', 'east is positive')
    .option('--at <time>', 'once, such as 2030-01-31T08:00:00+01:00')
    .addOption(
      new Option('--catch-up <policy>', 'which missed ticks to make up for').choices(catchUpPolicies).default('last'),
    )
    .option('--paused', 'make it, but let nothing come yet', false)
    .addHelpText(
      'after',
      `
Examples:
  tabgrid beat add alive ping --every 5m
  tabgrid beat add nightly train_surrogate --crontab '0 3 * * *' --timezone Europe/Vienna --kwargs @train.json
  tabgrid beat add dusk ping --solar sunset --lat 48.2 --lon 16.37`,
    )
    .action(async (name: string, task: string, flags: AddFlags) => {
      const spec = specOf(flags, await signatureOf(task, flags));
      const view = await (await connect(flags)).schedules.put(name, spec);
      createOutput(flags.json).result(view, () =>
        [`${view.name}: ${view.task} ${whenOf(view.schedule)}`, ...view.next_runs.map((time) => `  ${time}`)].join(
          '\n',
        ),
      );
    });

  withConnection(beat.command('remove'))
    .summary('delete a schedule')
    .description('Deletes a schedule; tasks that it has submitted go on.')
    .argument('<name>', 'of the schedule')
    .action(async (name: string, flags: ConnectionOptions) => {
      await (await connect(flags)).schedules.delete(name);
      createOutput(flags.json).result({ removed: name }, () => `${name} is removed`);
    });

  withConnection(beat.command('run'))
    .summary('run a schedule now')
    .description('Submits a schedule’s task now and prints its id; its ticks come as before.')
    .argument('<name>', 'of the schedule')
    .action(async (name: string, flags: ConnectionOptions) => {
      const { id } = await (await connect(flags)).schedules.run(name);
      createOutput(flags.json).result({ task_id: id }, () => id);
    });

  for (const [verb, what] of [
    ['pause', 'let nothing come for now'],
    ['resume', 'go on after a pause'],
  ] as const) {
    withConnection(beat.command(verb))
      .summary(what)
      .description(
        verb === 'pause' ? 'Lets nothing come until `resume`.' : 'Goes on with the next tick; none is made up for.',
      )
      .argument('<name>', 'of the schedule')
      .action(async (name: string, flags: ConnectionOptions) => {
        const view = await (await connect(flags)).schedules[verb](name);
        createOutput(flags.json).result(view, () => `${name}: ${view.next_run ?? 'paused'}`);
      });
  }
}

/** @throws UsageError that names the option. */
function specOf(flags: AddFlags, signature: Signature): ScheduleSpec {
  const spec = { schedule: timetableOf(flags), signature, enabled: !flags.paused, catch_up: flags.catchUp };
  const parsed = scheduleSpecSchema.safeParse(spec);
  if (parsed.success) return parsed.data;
  const [fault] = faultsOf(parsed.error);
  throw new UsageError(`${fault?.path ?? 'schedule'}: ${fault?.message ?? 'does not fit'}`);
}

function timetableOf(flags: AddFlags): object {
  const { every, crontab, timezone, solar, lat, lon, at } = flags;
  const kinds = [every, crontab, solar, at].filter((kind) => kind !== undefined);
  if (kinds.length !== 1) throw new UsageError('expected exactly one of --every, --crontab, --solar and --at');
  if (timezone !== undefined && crontab === undefined) throw new UsageError('--timezone goes with --crontab');
  if ((lat !== undefined || lon !== undefined) && solar === undefined) {
    throw new UsageError('--lat and --lon go with --solar');
  }
  if (every !== undefined) return { every: parseDuration('--every', every) };
  if (crontab !== undefined) return { crontab, ...(timezone === undefined ? {} : { timezone }) };
  if (at !== undefined) return { at };
  if (lat === undefined || lon === undefined) throw new UsageError('--solar needs --lat and --lon');
  return { solar, lat: Number(lat), lon: Number(lon) };
}

function whenOf(timetable: Timetable): string {
  if ('every' in timetable) return `every ${timetable.every} s`;
  if ('crontab' in timetable) return `${timetable.crontab} ${timetable.timezone ?? 'UTC'}`;
  if ('solar' in timetable) return `${timetable.solar} at ${timetable.lat}, ${timetable.lon}`;
  return `at ${timetable.at}`;
}
