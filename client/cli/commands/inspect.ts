import { Argument, type Command } from 'commander';
import type { TaskState, TaskView } from '#protocol';
import type { Grid } from '../../sdk/index.ts';
import { connect, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { createOutput, short, table, type Output } from '../lib/output.ts';

/** The most tasks that are shown of one state. */
const maxTasks = 200;

interface TaskTypeView {
  name: string;
  queue: string;
  runs_on: string[];
  summary: string;
}

const views = {
  ping: 'answers of the grid, one a line: it takes a task and gives its result',
  active: 'tasks that are being computed',
  reserved: 'tasks that workers hold and have not begun',
  scheduled: 'tasks that wait for their time or for a retry',
  revoked: 'tasks that were revoked, newest first',
  registered: 'task types',
  stats: 'workers and queues',
} as const;
type ViewName = keyof typeof views;

export function addInspect(program: Command): void {
  withConnection(program.command('inspect'))
    .summary('look at workers, tasks and queues')
    .description(
      `Shows one view of the grid:\n\n${Object.entries(views)
        .map(([name, meaning]) => `  ${name.padEnd(10)}  ${meaning}`)
        .join('\n')}`,
    )
    .addArgument(new Argument('<view>', 'what to show').choices(Object.keys(views)))
    .action(async (view: ViewName, flags: ConnectionOptions) => {
      await show[view](await connect(flags), createOutput(flags.json));
    });
}

const show: Record<ViewName, (grid: Grid, output: Output) => Promise<void>> = {
  async ping(grid, output) {
    const result = await (await grid.submit('ping', {}, { priority: 9, expires: 60 })).get({ timeoutSeconds: 30 });
    output.result(result, () => `${result.status} from ${result.worker}`);
  },
  active: (grid, output) => showTasks(grid, output, ['STARTED']),
  reserved: (grid, output) => showTasks(grid, output, ['RECEIVED']),
  scheduled: (grid, output) => showTasks(grid, output, ['PENDING', 'RETRY'], ({ eta }) => eta !== null),
  revoked: (grid, output) => showTasks(grid, output, ['REVOKED']),
  async registered(grid, output) {
    const { task_types: types } = await grid.request<{ task_types: TaskTypeView[] }>('GET', '/v1/task-types');
    output.result(types, () =>
      table(
        ['task', 'queue', 'runs on', 'what it does'],
        types.map((type) => [type.name, type.queue, type.runs_on.join(', '), type.summary]),
      ),
    );
  },
  async stats(grid, output) {
    const [workers, queues] = await Promise.all([grid.workers(), grid.queues()]);
    output.result({ workers, queues }, () => {
      const workerRows = workers.map((worker) => [
        worker.name,
        worker.state,
        worker.trusted ? 'trusted' : 'volunteer',
        worker.concurrency,
        worker.active,
        worker.succeeded,
        worker.failed,
        short(worker.busy_seconds),
        worker.capabilities.description ?? '',
      ]);
      const queueRows = queues.map((queue) => [
        queue.queue,
        queue.waiting,
        queue.scheduled,
        queue.running,
        queue.oldest_age === null ? '' : short(queue.oldest_age),
      ]);
      return [
        table(['worker', 'state', 'trust', 'slots', 'active', 'done', 'failed', 'busy s', 'machine'], workerRows),
        table(['queue', 'waiting', 'scheduled', 'running', 'oldest s'], queueRows),
      ].join('\n\n');
    });
  },
};

async function showTasks(
  grid: Grid,
  output: Output,
  states: readonly TaskState[],
  wanted: (task: TaskView) => boolean = () => true,
): Promise<void> {
  const tasks: TaskView[] = [];
  for (const state of states) {
    let shown = 0;
    for await (const task of grid.tasks({ state })) {
      if (!wanted(task)) continue;
      tasks.push(task);
      if (++shown === maxTasks) break;
    }
  }
  output.result(tasks, () =>
    table(
      ['task id', 'task', 'state', 'queue', 'worker', 'since'],
      tasks.map((task) => [
        task.task_id,
        task.task,
        task.state,
        task.queue,
        task.worker ?? '',
        task.started_at ?? task.eta ?? task.created_at,
      ]),
    ),
  );
}
