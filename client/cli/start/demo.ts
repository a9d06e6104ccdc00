import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { CampaignView } from '#protocol';
import type { CampaignSpecInput, Grid } from '../../sdk/index.ts';
import { parseSpec } from '../commands/campaign.ts';
import { campaignRow } from '../lib/campaign-progress.ts';
import { readText } from '../lib/json-argument.ts';
import type { ProgressDisplay } from '../lib/progress-display.ts';

const dataFolder = new URL('../../data/', import.meta.url);

/** The data set that ships with the project, and where it goes. */
export const demoData = {
  file: fileURLToPath(new URL('crossed_barrel.csv', dataFolder)),
  path: '/datasets/crossed_barrel.csv',
  inputs: ['n', 'theta', 'r', 't'],
  objective: { name: 'toughness', goal: 'max' },
} as const;

/** The first replays the table; in the second a model stands in for the laboratory. */
const specFiles = ['demo-pool.json', 'demo-continuous.json'] as const;

/** Enough training for a model that knows the whole table. */
const standIn = { epochs: 400, members: 3, seed: 1 } as const;

/** A campaign of the demonstration, over. */
export interface DemoResult {
  readonly view: CampaignView;
  readonly hypervolume: number;
  /** What each experiment gave, failed ones left out, by objective. */
  readonly outcomes: readonly Readonly<Record<string, number>>[];
  /** From its start to its end. */
  readonly seconds: number;
}

/** The part of an exported campaign that is judged. */
const exportSchema = z.object({
  observations: z.array(z.object({ values: z.record(z.string(), z.number()).nullable() })),
});

/** Stores the data set. @returns its bytes. */
export async function uploadData(grid: Grid): Promise<Uint8Array> {
  const csv = new Uint8Array(await readFile(demoData.file));
  await grid.files.put(demoData.path, csv);
  return csv;
}

/** Runs the campaigns one after the other. */
export async function* runDemos(
  grid: Grid,
  display: ProgressDisplay,
  signal: AbortSignal,
): AsyncGenerator<DemoResult, void, undefined> {
  const specs = await Promise.all(specFiles.map(readSpec));
  for (const spec of specs) display.update(spec.name, { label: spec.name, fraction: 0, detail: 'waits for its turn' });
  for (const spec of specs) {
    await prepare(grid, spec, display, signal);
    yield await runDemo(grid, spec, display, signal);
  }
}

/** A campaign whose evaluator is a model needs that model: it is trained by a task like any other. */
async function prepare(
  grid: Grid,
  { name, evaluator }: CampaignSpecInput,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<void> {
  if (evaluator.kind !== 'model') return;
  display.update(name, {
    label: name,
    fraction: 0,
    detail: 'training a model of the data to stand in for the laboratory',
  });
  const task = await grid.submit('train_surrogate', {
    dataset_path: demoData.path,
    inputs: [...demoData.inputs],
    targets: [demoData.objective.name],
    model_path: evaluator.model_path,
    ...standIn,
  });
  await task.get({ signal });
}

async function runDemo(
  grid: Grid,
  spec: CampaignSpecInput,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<DemoResult> {
  const campaign = await grid.campaigns.run(spec);
  let view = await campaign.view({ signal });
  for await (const now of campaign.watch({ limit: 1, signal })) {
    view = now;
    display.update(spec.name, campaignRow(view));
  }
  signal.throwIfAborted();
  const { hypervolume } = await campaign.pareto();
  const { observations } = exportSchema.parse(JSON.parse(await campaign.export('json')));
  const outcomes = observations.flatMap(({ values }) => (values === null ? [] : [values]));
  const seconds = (Date.parse(view.finished_at ?? view.created_at) - Date.parse(view.created_at)) / 1000;
  return { view, hypervolume, outcomes, seconds };
}

async function readSpec(name: string): Promise<CampaignSpecInput> {
  const path = fileURLToPath(new URL(name, dataFolder));
  return parseSpec(path, await readText(path));
}
