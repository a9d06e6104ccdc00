import type { CampaignState, CampaignView, ParetoView, WorkerView } from '#protocol';
import { requestAs } from './api.ts';
import type { CampaignPicture, Fleet } from './page-state.ts';

/** How many campaigns the page shows at most. */
const maxCampaigns = 2;

interface CampaignSummary {
  campaign_id: string;
  state: CampaignState;
}

/** Who else computes. @throws TabgridError where the token may not read it. */
export async function readFleet(token: string): Promise<Fleet> {
  const { workers } = (await requestAs(token, '/v1/workers')) as { workers: WorkerView[] };
  return {
    workersOnline: workers.filter(({ state }) => state === 'online').length,
    tasksDone: workers.reduce((sum, { succeeded }) => sum + succeeded, 0),
  };
}

/**
 * The campaigns that run now, and those among `seen` that have ended meanwhile, with their curves and fronts.
 *
 * @throws TabgridError where the token may not read them.
 */
export async function readCampaigns(token: string, seen: readonly CampaignPicture[]): Promise<CampaignPicture[]> {
  const { campaigns } = (await requestAs(token, '/v1/campaigns?limit=20')) as { campaigns: CampaignSummary[] };
  const known = new Set(seen.map(({ campaign }) => campaign.campaign_id as string));
  const shown = campaigns
    .filter(({ campaign_id, state }) => state === 'RUNNING' || state === 'PAUSED' || known.has(campaign_id))
    .slice(0, maxCampaigns);
  return Promise.all(shown.map(({ campaign_id }) => readPicture(token, campaign_id)));
}

async function readPicture(token: string, id: string): Promise<CampaignPicture> {
  const campaign = (await requestAs(token, `/v1/campaigns/${id}`)) as CampaignView;
  if (campaign.spec.objectives.length < 2) return { campaign, pareto: null };
  return { campaign, pareto: (await requestAs(token, `/v1/campaigns/${id}/pareto`)) as ParetoView };
}
