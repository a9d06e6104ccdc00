import { Argument, type Command } from 'commander';
import { inspectViews, type InspectView, type Json, type TaskView } from '#protocol';
import type { Answers, Grid } from '../../sdk/index.ts';
import { connect, withConnection } from '../lib/connection.ts';
import { CommandError, UsageError } from '../lib/errors.ts';
import { createOutput, short, table } from '../lib/output.ts';
import { askOptions, tellMissing, withDestination, type DestinationFlags } from '../lib/destination.ts';
import { queueColumns } from './queue.ts';
import { taskTable } from './tasks.ts';

const meanings: Record<InspectView, string> = {
  ping: 'which workers answer',
  active: 'tasks that are being computed, by worker',
  reserved: 'tasks that workers hold and have not begun',
  scheduled: 'tasks that wait in the broker for their time or for a retry, the next one first',
  revoked: 'tasks that were revoked or have expired, newest first',
  registered: 'task types, and how many workers have each',
  stats: 'workers and queues',
  active_queues: 'the queues that workers take tasks from',
  query_task: 'tasks by their ids, and who has them',
};

const taskViews: readonly InspectView[] = ['active', 'reserved', 'scheduled', 'revoked', 'query_task'];

export function addInspect(program: Command): void {
  withDestination(withConnection(program.command('inspect')))
    .summary('look at workers, tasks and queues')
    .description(
      `Shows one view of the grid:\n\n${Object.entries(meanings)
        .map(([name, meaning]) => `  ${name.padEnd(13)}  ${meaning}`)
        .join('\n')}\n\nThe status is 1 when a worker that was asked does not answer.`,
    )
    .addArgument(new Argument('<view>', 'what to show').choices(inspectViews))
    .argument('[id...]', 'task ids, of query_task')
    .action(async (view: InspectView, ids: string[], flags: DestinationFlags) => {
      if (view === 'query_task' && ids.length === 0) throw new UsageError('query_task: expected ids of tasks');
      if (view !== 'query_task' && ids.length > 0) {
        throw new UsageError(`${view} takes no ids; -d names workers, and query_task takes ids of tasks`);
      }
      const grid = await connect(flags);
      const output = createOutput(flags.json);
      const answers = await grid.inspect(view, { ...askOptions(flags), ...(ids.length > 0 ? { ids } : {}) });
      const text = await textOf(view, grid, answers);
      output.result(answers, () => text);
      tellMissing(answers);
      if (view === 'ping' && answers.replies.length === 0) throw new CommandError('no worker is connected');
    });
}

async function textOf(view: InspectView, grid: Grid, answers: Answers): Promise<string> {
  if (taskViews.includes(view))
    return taskTable(answers.replies.flatMap(({ reply }) => (reply ?? []) as unknown as TaskView[]));
  if (view === 'registered') return registered(grid, answers);
  if (view === 'stats') return stats(grid, answers);
  return table(answers.replies, {
    worker: ({ name }) => name ?? '',
    id: ({ worker_id: id }) => id ?? '',
    [view === 'ping' ? 'answer' : 'queues']: ({ reply, error }) => said(reply ?? error ?? ''),
  });
}

function said(reply: Json): string {
  const parts = [reply].flat();
  return parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(', ');
}

async function registered(grid: Grid, answers: Answers): Promise<string> {
  const types = await grid.flow.taskTypes();
  const having = (name: string): number =>
    answers.replies.filter(({ reply }) => Array.isArray(reply) && reply.includes(name)).length;
  return table(types, {
    task: (type) => type.name,
    workers: (type) => having(type.name),
    queue: (type) => type.queue,
    'runs on': (type) => type.runs_on.join(', '),
    'what it does': (type) => type.summary,
  });
}

/** The table of workers, with those that are gone, and of queues. */
async function stats(grid: Grid, { replies, silent }: Answers): Promise<string> {
  const [workers, queues] = await Promise.all([grid.workers(), grid.queues()]);
  const isSilent = new Set(silent);
  const isAsked = new Set(replies.map(({ worker_id: id }) => id));
  const shown = workers.filter(
    ({ worker_id: id, state }) => isSilent.has(id) || isAsked.has(id) || state === 'offline' || id === 'edge',
  );
  const workerTable = table(shown, {
    worker: (worker) => worker.name,
    state: (worker) => (isSilent.has(worker.worker_id) ? 'silent' : worker.state),
    trust: (worker) => (worker.trusted ? 'trusted' : 'volunteer'),
    slots: (worker) => worker.concurrency,
    active: (worker) => worker.active,
    done: (worker) => worker.succeeded,
    failed: (worker) => worker.failed,
    'busy (s)': (worker) => short(worker.busy_seconds),
    machine: (worker) => worker.capabilities.description ?? '',
  });
  return [workerTable, table(queues, queueColumns)].join('\n\n');
}
