import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CampaignView } from '#protocol';
import { begin, launchChromium, openTab, shows } from './support/browser.ts';
import { TestGrid, until } from './support/grid.ts';

let grid: TestGrid;
let browser: Browser;

beforeAll(async () => {
  [grid, browser] = await Promise.all([TestGrid.start(), launchChromium()]);
  const table = await readFile(new URL('../../data/crossed_barrel.csv', import.meta.url));
  await grid.call('PUT', '/v1/files/datasets/crossed_barrel.csv', new Uint8Array(table));
});

afterAll(async () => {
  await browser.close();
  await grid.stop();
});

const spec = {
  name: 'Barrels',
  space: { pool: '/datasets/crossed_barrel.csv', inputs: ['n', 'theta', 'r', 't'] },
  objectives: [{ name: 'toughness', goal: 'max' }],
  evaluator: { kind: 'table', path: '/datasets/crossed_barrel.csv' },
  surrogate: { kind: 'mlp', members: 3, epochs: 60 },
  initial: 4,
  batch_size: 2,
  budget: 24,
  seed: 3,
};

async function run(): Promise<string> {
  return (await grid.call<{ campaign_id: string }>('POST', '/v1/campaigns/run', spec)).campaign_id;
}

const ended = (id: string) =>
  until(async () => {
    const campaign = await grid.campaign(id);
    return campaign.finished_at !== null && campaign;
  });

/** What must be the same however often a campaign is disturbed. */
const essence = ({ state, best, history }: CampaignView) => ({
  state,
  best,
  history: history.map(({ iteration, evaluated, best: found, proposed }) => ({
    iteration,
    evaluated,
    found,
    proposed,
  })),
});

describe('a campaign', () => {
  it('gives the same result with a Node worker, and with tabs that join and are closed at any moment', async () => {
    const stopNode = grid.startNodeWorker('steady');
    const undisturbed = await ended(await run());
    expect(undisturbed.state).toBe('SUCCESS');

    const id = await run();
    await until(async () => (await grid.campaign(id)).progress.evaluated > 4);
    // It waits for the tab, which could come too late on a fast machine.
    await grid.call('POST', `/v1/campaigns/${id}/pause`);
    const first = await openTab(browser, await grid.invite());
    await begin(first, 2);
    await shows(first, 'Barrels');
    await grid.call('POST', `/v1/campaigns/${id}/resume`);
    await until(async () =>
      (await grid.workers()).some((worker) => worker.name.startsWith('tab-') && worker.succeeded > 0),
    );
    // It dies without a word: what it held comes back when its leases run out.
    const crashed = first.page.waitForEvent('crash');
    await Promise.all([crashed, first.page.goto('chrome://crash').catch(() => null)]);
    await first.context.close();

    // From here on tabs do it alone, one after the other, each closed in the midst of its work.
    await stopNode();
    while ((await grid.campaign(id)).finished_at === null) {
      const tab = await openTab(browser, await grid.invite());
      await begin(tab, 1);
      const before = (await grid.campaign(id)).progress.evaluated;
      await until(async () => {
        const { progress, finished_at } = await grid.campaign(id);
        return finished_at !== null || progress.evaluated >= before + 6;
      });
      await tab.page.close();
      await tab.context.close();
    }
    expect(essence(await ended(id))).toEqual(essence(undisturbed));
    const tabs = (await grid.workers()).filter(({ name }) => name.startsWith('tab-'));
    expect(tabs.reduce((sum, { succeeded }) => sum + succeeded, 0)).toBeGreaterThan(0);
  });
});
