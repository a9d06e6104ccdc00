import { Option, type Command } from 'commander';
import {
  canvasNodeSchema,
  isFinal,
  workflowStates,
  type CanvasNode,
  type WorkflowState,
  type WorkflowView,
} from '#protocol';
import type { WorkflowResult, WorkflowSummary } from '../../sdk/index.ts';
import { connect, patientRetries, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { parseDuration } from '../lib/duration.ts';
import { CommandError } from '../lib/errors.ts';
import { parseDocument, readText } from '../lib/json-argument.ts';
import { createOutput, table, type Output } from '../lib/output.ts';
import { ProgressDisplay } from '../lib/progress-display.ts';
import { parseWholeNumber } from '../lib/whole-number.ts';
import { callsOf, workflowRow } from '../lib/workflow-progress.ts';

interface RunFlags extends ConnectionOptions {
  wait: boolean;
  watch: boolean;
  timeout?: string;
}

export function addWorkflow(program: Command): void {
  const workflow = program
    .command('workflow')
    .summary('run Celery’s canvas: chains, groups, chords, arrays')
    .description('Workflows: tasks that lead to tasks, and one call for each of many items.');

  withConnection(workflow.command('run'))
    .summary('start a workflow')
    .description('Starts a workflow and prints its id; with --wait or --watch, its result.')
    .argument('<canvas>', 'a JSON file, or - for standard input')
    .option('--wait', 'wait for the result; exit 1 when it fails', false)
    .option('--watch', 'the same, and show how it comes on', false)
    .option('--timeout <duration>', 'how long to wait')
    .addHelpText(
      'after',
      `
Examples:
  echo '{"group": [{"task": "ping"}, {"task": "ping"}]}' | tabgrid workflow run - --wait
  tabgrid workflow run sweep.json --watch`,
    )
    .action(async (path: string, flags: RunFlags) => {
      const output = createOutput(flags.json);
      // Checked here too, so that faults are told with the file’s name.
      const canvas = parseDocument<CanvasNode>('a workflow', path, await readText(path), canvasNodeSchema);
      const timeout = flags.timeout === undefined ? {} : { timeoutSeconds: parseDuration('--timeout', flags.timeout) };
      const { id } = await (await connect(flags)).run(canvas);
      if (!flags.wait && !flags.watch && flags.timeout === undefined) {
        output.result({ workflow_id: id }, () => id);
        return;
      }
      output.note(`Workflow ${id} is under way.`);
      const result = (await connect(flags, patientRetries)).workflows.get(id);
      const onProgress = flags.watch && !output.json ? { onProgress: display() } : {};
      await tell(result, await result.settled({ ...timeout, ...onProgress }), output);
    });

  withConnection(workflow.command('list'))
    .summary('list workflows')
    .description('Lists one’s own workflows, newest first.')
    .addOption(new Option('--workflow-state <state>', 'those in this state').choices(workflowStates))
    .option('--label <label>', 'those with this label')
    .option('--limit <n>', 'at most so many', '100')
    .action(async (flags: ConnectionOptions & { workflowState?: WorkflowState; label?: string; limit: string }) => {
      const limit = parseWholeNumber('--limit', flags.limit, 1) ?? Infinity;
      const found: WorkflowSummary[] = [];
      const filter = {
        ...(flags.workflowState === undefined ? {} : { state: flags.workflowState }),
        ...(flags.label === undefined ? {} : { label: flags.label }),
      };
      for await (const summary of (await connect(flags)).workflows.list(filter)) {
        found.push(summary);
        if (found.length >= limit) break;
      }
      createOutput(flags.json).result(found, () =>
        table(found, {
          'workflow id': (one) => one.workflow_id,
          state: (one) => one.state,
          calls: callsOf,
          running: (one) => one.running,
          created: (one) => one.created_at,
          labels: (one) => one.labels.join(' '),
        }),
      );
    });

  withConnection(workflow.command('show'))
    .summary('show a workflow')
    .description('Shows how far a workflow has come, and what failed first.')
    .argument('<id>', 'of the workflow')
    .action(async (id: string, flags: ConnectionOptions) => {
      const view = await (await connect(flags)).workflows.get(id).view();
      createOutput(flags.json).result(view, () => summary(view));
    });

  withConnection(workflow.command('revoke'))
    .summary('revoke a workflow')
    .description('Lets nothing new begin, and revokes what waits.')
    .argument('<id>', 'of the workflow')
    .option('--terminate', 'stop attempts that run, too', false)
    .action(async (id: string, flags: ConnectionOptions & { terminate: boolean }) => {
      const view = await (await connect(flags)).workflows.get(id).revoke({ terminate: flags.terminate });
      createOutput(flags.json).result(view, () => summary(view));
    });

  withConnection(workflow.command('graph'))
    .summary('draw a workflow')
    .description('Prints a workflow in the DOT language: `tabgrid workflow graph ID | dot -Tsvg > workflow.svg`.')
    .argument('<id>', 'of the workflow')
    .action(async (id: string, flags: ConnectionOptions) => {
      const graph = await (await connect(flags)).workflows.get(id).graph();
      if (flags.json) createOutput(true).result({ workflow_id: id, graph }, () => '');
      else process.stdout.write(graph);
    });
}

function display(): (view: WorkflowView) => void {
  const rows = new ProgressDisplay(process.stderr);
  return (view) => rows.update(view.workflow_id, workflowRow(view));
}

/** Prints the result of a workflow that is over. @throws CommandError where it is no success. */
async function tell(result: WorkflowResult<unknown>, view: WorkflowView, output: Output): Promise<void> {
  if (view.state === 'SUCCESS') {
    const whole = output.json ? null : await result.get();
    output.result(view, () => JSON.stringify(whole, null, 2));
    return;
  }
  if (output.json) output.result(view, () => '');
  throw new CommandError(view.state === 'REVOKED' ? `workflow ${view.workflow_id} was revoked` : faultOf(view));
}

function faultOf({ error }: WorkflowView): string {
  if (error === null) return '';
  return `${error.path === '' ? '' : `${error.path}: `}${error.message} (${error.type})`;
}

function summary(view: WorkflowView): string {
  const lines = [
    ['workflow', view.workflow_id],
    ['state', view.state],
    ['calls', callsOf(view)],
    ...(isFinal(view.state) ? [] : [['running', String(view.running)]]),
    ...(view.error === null ? [] : [['failure', faultOf(view)]]),
    ...(view.error?.task_id ? [['of task', view.error.task_id]] : []),
    ...(view.labels.length === 0 ? [] : [['labels', view.labels.join(' ')]]),
    ['created', view.created_at],
    ...(view.finished_at === null ? [] : [['finished', view.finished_at]]),
  ];
  return lines.map(([name = '', value = '']) => `${name.padEnd(9)}  ${value}`).join('\n');
}
