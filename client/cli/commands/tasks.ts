import { Option, type Command } from 'commander';
import { isErrorCode, isFinal, taskStates, type TaskState, type TaskView } from '#protocol';
import type { TaskFilter } from '../../sdk/index.ts';
import { connect, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { parseSince } from '../lib/duration.ts';
import { UsageError } from '../lib/errors.ts';
import { createOutput, short, table } from '../lib/output.ts';
import { parseWholeNumber } from '../lib/whole-number.ts';

interface FilterFlags extends ConnectionOptions {
  taskState?: string[];
  task?: string;
  queue?: string;
  worker?: string;
  label?: string;
  error?: string;
  campaign?: string;
  workflow?: string;
  since?: string;
  until?: string;
}

export function addTasks(program: Command): void {
  const tasks = program
    .command('tasks')
    .summary('list, show, revoke tasks and run them again')
    .description('What became of tasks; one by their ids, or many by what they have in common.');

  withFilter(withConnection(tasks.command('list')))
    .summary('list tasks, newest first')
    .description('Lists tasks, newest first.')
    .option('--oldest', 'oldest first', false)
    .option('--limit <n>', 'at most so many', '50')
    .action(async (flags: FilterFlags & { oldest: boolean; limit: string }) => {
      const limit = parseWholeNumber('--limit', flags.limit, 1) ?? 50;
      const grid = await connect(flags);
      const found: TaskView[] = [];
      for await (const task of grid.tasks({ ...filterOf(flags), order: flags.oldest ? 'oldest' : 'newest' })) {
        found.push(task);
        if (found.length === limit) break;
      }
      createOutput(flags.json).result(found, () => taskTable(found));
    });

  withConnection(tasks.command('show'))
    .summary('show tasks with arguments, result, error and attempts')
    .description('Shows tasks with their arguments, result, error and attempts.')
    .argument('<id...>', 'their ids')
    .action(async (ids: string[], flags: ConnectionOptions) => {
      const grid = await connect(flags);
      const output = createOutput(flags.json);
      for (const id of ids) {
        const view = await grid.result(id).view();
        output.result(view, () => JSON.stringify(view, null, 2));
      }
    });

  withFilter(withConnection(tasks.command('revoke')))
    .summary('revoke tasks, by ids or by a filter')
    .description(
      'Revokes tasks: what has not begun does not begin; what runs may end, unless --terminate says otherwise, but is not tried again. With a filter, all that were submitted before.',
    )
    .argument('[id...]', 'their ids')
    .option('--terminate', 'stop what runs', false)
    .action(async (ids: string[], flags: FilterFlags & { terminate: boolean }) => {
      const { terminate } = flags;
      const filter = idsOrFilter(ids, flags);
      const grid = await connect(flags);
      let revoked = 0;
      if (filter !== null) revoked = await grid.revokeAll(filter, { terminate });
      for (const id of ids) {
        const { state } = await grid.result(id).revoke({ terminate });
        if (state !== 'SUCCESS' && state !== 'FAILURE') revoked++;
      }
      createOutput(flags.json).result({ revoked }, () => `${revoked} revoked`);
    });

  withFilter(withConnection(tasks.command('retry')))
    .summary('run dead tasks again, by ids or by a filter')
    .description(
      'Runs dead tasks again, each as a new one, and prints the new ids. With a filter: those that failed, unless --task-state says otherwise, and each once, however often it is asked.',
    )
    .argument('[id...]', 'their ids')
    .action(async (ids: string[], flags: FilterFlags) => {
      const filter = idsOrFilter(ids, flags);
      const grid = await connect(flags);
      const output = createOutput(flags.json);
      const tell = (taskId: string, retryOf: string): void =>
        output.result({ task_id: taskId, retry_of: retryOf }, () => `${taskId}  for ${retryOf}`);
      for (const id of ids) tell((await grid.result(id).retry()).task_id, id);
      if (filter === null) return;
      for await (const task of grid.retryAll(filter)) tell(task.task_id, task.retry_of);
    });
}

/** Tasks, one a line. */
export function taskTable(tasks: readonly TaskView[]): string {
  return table(tasks, {
    'task id': (task) => task.task_id,
    task: (task) => task.task,
    state: (task) => task.state,
    queue: (task) => task.queue,
    worker: (task) => task.worker ?? '',
    since: (task) =>
      isFinal(task.state) ? (task.finished_at ?? '') : (task.started_at ?? task.eta ?? task.created_at),
    seconds: (task) => (task.runtime === null ? '' : short(task.runtime)),
    error: (task) => task.error?.type ?? '',
  });
}

function withFilter(command: Command): Command {
  const options = [
    new Option('--task-state <state...>', `in one of these states: ${taskStates.join(', ')}`),
    new Option('--task <name>', 'of this task type'),
    new Option('--queue <name>', 'in this queue'),
    new Option('--worker <id>', 'computed by this worker'),
    new Option('--label <label>', 'with this label'),
    new Option('--error <code>', 'that ended with this error, such as worker_lost'),
    new Option('--campaign <id>', 'of this campaign'),
    new Option('--workflow <id>', 'of this workflow'),
    new Option('--since <time>', 'submitted since: a duration such as 15m, or an ISO 8601 time'),
    new Option('--until <time>', 'submitted before: a duration such as 15m, or an ISO 8601 time'),
  ];
  for (const option of options) command.addOption(option.helpGroup('Filter:'));
  return command;
}

/** Either ids or a filter, and never everything by mistake. @throws UsageError */
function idsOrFilter(ids: readonly string[], flags: FilterFlags): TaskFilter | null {
  const filter = filterOf(flags);
  const isNarrow = Object.keys(filter).length > 0;
  if (ids.length > 0 && isNarrow) throw new UsageError('expected either ids or a filter');
  if (ids.length === 0 && !isNarrow) throw new UsageError('expected ids, or a filter such as --label nightly');
  return isNarrow ? filter : null;
}

function filterOf(flags: FilterFlags): TaskFilter {
  const { error } = flags;
  if (error !== undefined && !isErrorCode(error)) throw new UsageError(`--error: no error has the code "${error}"`);
  const given = {
    state: flags.taskState?.flatMap((text) => text.split(',')).map(parseState),
    task: flags.task,
    queue: flags.queue,
    worker: flags.worker,
    label: flags.label,
    error,
    campaignId: flags.campaign,
    workflowId: flags.workflow,
    since: flags.since === undefined ? undefined : parseSince('--since', flags.since),
    until: flags.until === undefined ? undefined : parseSince('--until', flags.until),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function parseState(text: string): TaskState {
  const state = taskStates.find((known) => known === text.toUpperCase());
  if (state === undefined) throw new UsageError(`--task-state: expected some of ${taskStates.join(', ')}`);
  return state;
}
