import type { Command } from 'commander';
import type { Grid } from '../../sdk/index.ts';
import { CommandError, UsageError } from '../lib/errors.ts';
import { createOutput, type Output } from '../lib/output.ts';
import { ProgressDisplay } from '../lib/progress-display.ts';
import { untilInterrupted } from '../lib/signals.ts';
import { version } from '../lib/version.ts';
import { demonstrate, startGrid } from '../start/start.ts';
import { describeDemonstration, describePlaces, inviteLink } from '../start/summary.ts';
import { serveOptions, withServeOptions, type ServeFlags } from './serve.ts';

/** As shells report a command that Ctrl-C has ended. */
const interruptedStatus = 130;

interface StartFlags extends ServeFlags {
  once: boolean;
}

export function addStart(program: Command): void {
  withServeOptions(program.command('start'))
    .summary('run the edge, a worker and two demo campaigns')
    .description(
      `Runs the edge and one worker on this machine, and two campaigns on a data set of 600 printed structures whose toughness was
measured: the first replays the table as experiments, the second searches a continuous space in which a model of the data stands in
for the laboratory. Keeps serving until Ctrl-C.`,
    )
    .option('--once', 'end when the campaigns have: exit 0 if they succeeded', false)
    .action(async (flags: StartFlags) => {
      if (flags.tlsCert !== undefined) throw new UsageError('start serves plain http: use `serve` with a certificate');
      const output = createOutput(flags.json);
      // Where results are JSON, progress does not mix with them.
      const display = new ProgressDisplay(output.json ? process.stderr : process.stdout);
      const interrupted = new AbortController();
      const interruption = untilInterrupted().then(() => interrupted.abort());
      const started = await startGrid(serveOptions(flags, (message) => display.note(`tabgrid: ${message}`)));
      try {
        const invite = await inviteLink(started.grid);
        display.note(welcome(started.served.url, invite));
        const succeeded = await show(started.grid, display, output, interrupted.signal);
        if (flags.once) {
          if (succeeded) return;
          throw new CommandError(`a campaign did not succeed; the logs are in ${started.served.state.logs}`);
        }
        display.note(`\n${await describePlaces(started.served, invite)}\n`);
        display.note(`Ctrl-C stops it; what is here stays in ${started.served.state.path}.`);
        await interruption;
      } catch (error) {
        if (!interrupted.signal.aborted) throw error;
        process.exitCode = interruptedStatus;
      } finally {
        display.finish();
        display.note('Stopping.');
        await started.stop();
      }
    });
}

function welcome(url: string, invite: string): string {
  return `Tabgrid ${version} at ${url}, with one worker. Two campaigns look for the toughest printed structure.
Lend it a browser tab meanwhile; whoever has this link computes as a trusted worker:

  ${invite}
`;
}

/** @returns whether all campaigns succeeded. */
async function show(grid: Grid, display: ProgressDisplay, output: Output, signal: AbortSignal): Promise<boolean> {
  const demonstration = await demonstrate(grid, display, signal);
  const views = demonstration.results.map(({ view }) => view);
  output.result(views, () => `\n${describeDemonstration(demonstration)}`);
  return views.every((view) => view.state === 'SUCCESS');
}
