import type { Kwargs, Result } from '#catalog';
import type { Assignment } from '#protocol';
import type { Env } from '../../env.ts';
import { stubOf } from '../../lib/delivery.ts';
import { call, type Reply } from '../../lib/rpc.ts';

/** What a campaign offers for its export. */
export interface CampaignExportApi {
  /** Writes the files into the owner’s namespace. @throws not_found for a campaign of somebody else. @returns their paths. */
  exportResults(
    owner: string,
    formats: Kwargs<'export_results'>['formats'],
    outputPrefix: string,
  ): Promise<Reply<string[]>>;
}

export async function exportResults(env: Env, { owner, kwargs }: Assignment): Promise<Result<'export_results'>> {
  const { campaign_id, formats, output_prefix } = kwargs as Kwargs<'export_results'>;
  const campaign = stubOf<CampaignExportApi>(env, { object: 'campaign', name: campaign_id });
  return { files: await call(campaign.exportResults(owner, formats, output_prefix)) };
}
