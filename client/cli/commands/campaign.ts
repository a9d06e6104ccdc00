import { Option, type Command } from 'commander';
import { campaignSpecSchema, type CampaignView } from '#protocol';
import type { Campaign, CampaignSpecInput, CampaignSummary } from '../../sdk/index.ts';
import { campaignRow } from '../lib/campaign-progress.ts';
import { connect, patientRetries, withConnection, type ConnectionOptions } from '../lib/connection.ts';
import { CommandError } from '../lib/errors.ts';
import { parseDocument, readText } from '../lib/json-argument.ts';
import { createOutput, listValues, short, table, type Output } from '../lib/output.ts';
import { ProgressDisplay } from '../lib/progress-display.ts';

export function addCampaign(program: Command): void {
  const campaign = program
    .command('campaign')
    .summary('run optimisation campaigns')
    .description('The optimisation loop: train a surrogate, search it, evaluate the best candidates, repeat.');

  withConnection(campaign.command('run'))
    .summary('start a campaign')
    .description('Starts a campaign and prints its id; with --watch, shows how it comes on, and its result.')
    .argument('<spec>', 'a JSON file: data set, space, objectives, evaluator, budget, seed')
    .option('--watch', 'follow it to its end; exit 1 when it fails', false)
    .addHelpText(
      'after',
      `
Example:
  tabgrid files put data/crossed_barrel.csv /datasets/crossed_barrel.csv
  tabgrid campaign run data/demo-pool.json --watch`,
    )
    .action(async (path: string, flags: ConnectionOptions & { watch: boolean }) => {
      const output = createOutput(flags.json);
      const spec = parseSpec(path, await readText(path));
      const campaign = await (await connect(flags)).campaigns.run(spec);
      if (!flags.watch) {
        output.result({ campaign_id: campaign.id }, () => campaign.id);
        return;
      }
      output.note(`Campaign ${campaign.id} is under way.`);
      const view = await watch((await connect(flags, patientRetries)).campaigns.get(campaign.id), output);
      output.result(view, () => summary(view));
      if (view.state !== 'SUCCESS')
        throw new CommandError(`campaign ${view.state}: ${view.reason ?? 'no reason given'}`);
    });

  withConnection(campaign.command('list'))
    .summary('list campaigns')
    .description('Lists campaigns, newest first.')
    .action(async (flags: ConnectionOptions) => {
      const found: CampaignSummary[] = [];
      for await (const summary of (await connect(flags)).campaigns.list()) found.push(summary);
      createOutput(flags.json).result(found, () =>
        table(found, {
          'campaign id': (one) => one.campaign_id,
          name: (one) => one.name,
          state: (one) => one.state,
          evaluated: ({ progress }) => `${progress.evaluated} of ${progress.budget}`,
          best: ({ best }) => (best === null ? '' : listValues(best.values)),
        }),
      );
    });

  withConnection(campaign.command('show'))
    .summary('show a campaign')
    .description('Shows how far a campaign has come, and its best design.')
    .argument('<id>', 'of the campaign')
    .action(async (id: string, flags: ConnectionOptions) => {
      const view = await (await connect(flags)).campaigns.get(id).view();
      createOutput(flags.json).result(view, () => summary(view));
    });

  withConnection(campaign.command('export'))
    .summary('print a campaign’s results')
    .description('Prints every observation and iteration of a campaign.')
    .argument('<id>', 'of the campaign')
    .addOption(new Option('--format <format>', 'of the document').choices(['json', 'csv']).default('csv'))
    .action(async (id: string, flags: ConnectionOptions & { format: 'json' | 'csv' }) => {
      process.stdout.write(await (await connect(flags)).campaigns.get(id).export(flags.format));
    });
}

/** Follows a campaign to its end. */
async function watch(campaign: Campaign, output: Output): Promise<CampaignView> {
  const display = new ProgressDisplay(process.stderr);
  let last: CampaignView | undefined;
  for await (const view of campaign.watch({ limit: 1 })) {
    last = view;
    if (!output.json) display.update(campaign.id, campaignRow(view));
  }
  return last ?? campaign.view();
}

function summary(view: CampaignView): string {
  const { evaluated, budget } = view.progress;
  const last = view.history.at(-1);
  const lines = [
    ['campaign', `${view.name} (${view.campaign_id})`],
    ['state', view.reason === null ? view.state : `${view.state}: ${view.reason}`],
    ['evaluated', `${evaluated} of ${budget}`],
    ...(view.best === null
      ? []
      : [
          ['best', listValues(view.best.values)],
          ['design', listValues(view.best.inputs)],
        ]),
    ...(last === undefined || last.hypervolume === null ? [] : [['hypervolume', short(last.hypervolume)]]),
  ];
  return lines.map(([name = '', value = '']) => `${name.padEnd(11)}  ${value}`).join('\n');
}

/** Checked here too, so that faults are told with the file’s name. @throws UsageError */
export function parseSpec(path: string, text: string): CampaignSpecInput {
  return parseDocument<CampaignSpecInput>('a campaign', path, text, campaignSpecSchema);
}
