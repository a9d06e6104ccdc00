import type { CampaignView } from '#protocol';
import type { Campaign, CampaignSpecInput, Grid } from '../../../client/sdk/index.ts';

/** Small enough for a test, long enough to be killed in the middle. */
export const replaySpec: CampaignSpecInput = {
  name: 'replay',
  space: { pool: '/datasets/table.csv' },
  objectives: [{ name: 'y', goal: 'max' }],
  evaluator: { kind: 'table', path: '/datasets/table.csv' },
  surrogate: { kind: 'mlp', hidden: [16], epochs: 60, members: 2 },
  initial: 4,
  batch_size: 2,
  budget: 28,
  seed: 7,
};

/** 81 designs on a grid, with one hill between them. */
export function tableCsv(): string {
  const steps = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const rows = steps.flatMap((a) =>
    steps.map((b) => `${a},${b},${(100 - (a - 5) ** 2 - 2 * (b - 3) ** 2).toFixed(3)}`),
  );
  return `a,b,y\n${rows.join('\n')}\n`;
}

/** What must not depend on who computed it, and when. */
export function essence({ best, history, reason }: CampaignView): unknown {
  return {
    best,
    reason,
    history: history.map(({ iteration, evaluated, best: soFar, proposed, surrogate }) => ({
      iteration,
      evaluated,
      best: soFar,
      proposed,
      surrogate,
    })),
  };
}

/** Follows a campaign to its end. */
export async function finish(campaign: Campaign): Promise<CampaignView> {
  await (await campaign.result()).settled();
  return campaign.view();
}

/** Resolves when so many candidates have been evaluated. */
export async function untilEvaluated(campaign: Campaign, count: number): Promise<void> {
  for await (const { progress } of campaign.watch({ limit: 1 })) if (progress.evaluated >= count) return;
}

export async function runReplay(grid: Grid): Promise<Campaign> {
  await grid.files.put('/datasets/table.csv', tableCsv());
  return grid.campaigns.run(replaySpec);
}
