import { evaluatedCount } from './observed.ts';
import { untriedCount } from './designs.ts';
import type { CampaignCore } from './types.ts';

/** How many candidates the next batch has: what batch size, budget and space allow. */
export function batchCount(state: CampaignCore): number {
  const { batch_size: batchSize, budget } = state.spec;
  return Math.min(batchSize, budget - evaluatedCount(state.candidates), untriedCount(state));
}
