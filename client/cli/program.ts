import { Command } from 'commander';
import { addBeat } from './commands/beat.ts';
import { addCampaign } from './commands/campaign.ts';
import { addControl } from './commands/control.ts';
import { addEvents } from './commands/events.ts';
import { addFiles } from './commands/files.ts';
import { addInspect } from './commands/inspect.ts';
import { addLimit } from './commands/limit.ts';
import { addPurge, addQueue } from './commands/queue.ts';
import { addReport } from './commands/report.ts';
import { addServe } from './commands/serve.ts';
import { addStart } from './commands/start.ts';
import { addSubmit } from './commands/submit.ts';
import { addTasks } from './commands/tasks.ts';
import { addToken } from './commands/token.ts';
import { addWorker } from './commands/worker.ts';
import { addWorkflow } from './commands/workflow.ts';
import { version } from './lib/version.ts';

/** The `tabgrid` command line. */
export function createProgram(): Command {
  const program = new Command('tabgrid')
    .description('A task queue whose workers are browser tabs and Node processes.')
    .version(version)
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .addHelpText(
      'after',
      `
A first look:
  tabgrid start                      the edge, a worker and two demo campaigns on real data
  tabgrid serve                      the edge alone
  tabgrid worker                     a worker for it, in another terminal
  tabgrid submit ping --wait         a task

Exit status: 0 success, 1 a task failed or the grid cannot be reached, 2 bad usage.`,
    );
  addStart(program);
  addServe(program);
  addWorker(program);
  addSubmit(program);
  addTasks(program);
  addWorkflow(program);
  addQueue(program);
  addPurge(program);
  addLimit(program);
  addCampaign(program);
  addBeat(program);
  addFiles(program);
  addInspect(program);
  addControl(program);
  addEvents(program);
  addToken(program);
  addReport(program);
  return program;
}
