import type { CampaignId, CampaignSpec, CampaignView, Observations, ParetoView, Principal, TaskId } from '#protocol';
import type { ParentApi, RequestKey } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { stubOf } from '../lib/delivery.ts';
import type { Reply } from '../lib/rpc.ts';

/** What the Campaign object offers. All answers are `Reply`s: see `call` and `unwrap` in `lib/rpc.ts`. A stranger’s campaign is `not_found`. */

export interface CampaignStarted {
  campaign_id: CampaignId;
  task_id: TaskId;
}

/** Iterations after `after`, at most `limit` (≤ 1,000); without `after` the newest. */
export interface HistoryQuery {
  after?: number;
  limit?: number;
}

export interface ObservationsTaken {
  /** Observations that were added. */
  accepted: number;
  /** Candidates and observations in all. */
  total: number;
}

export interface CampaignApi extends ParentApi {
  /**
   * Starts the campaign of this id. The same specification again answers as the first time, so the caller derives the id from its
   * idempotency key. @throws invalid_request with the path of each fault; idempotency_conflict for another specification.
   */
  create(principal: Principal, campaignId: CampaignId, spec: CampaignSpec): Promise<Reply<CampaignStarted>>;
  view(principal: Principal, history?: HistoryQuery): Promise<Reply<CampaignView>>;
  pareto(principal: Principal): Promise<Reply<ParetoView>>;
  /** The whole campaign as one text. */
  exportAs(principal: Principal, format: 'json' | 'csv'): Promise<Reply<{ content_type: string; body: string }>>;
  /** The same into files `<prefix>/<campaign_id>.<format>` of the owner. @returns their paths. */
  exportResults(owner: string, formats: readonly ('json' | 'csv')[], outputPrefix: string): Promise<Reply<string[]>>;
  /** Nothing new is begun; what is under way is finished and counted. @throws conflict when it is over. */
  pause(principal: Principal): Promise<Reply<CampaignView>>;
  /** @throws conflict when it is over. */
  resume(principal: Principal): Promise<Reply<CampaignView>>;
  /** Ends it with what it has found. @throws conflict when it is over otherwise. */
  stop(principal: Principal): Promise<Reply<CampaignView>>;
  /** A person’s own results. @throws invalid_request, conflict when it is over, unavailable while its files are being read, idempotency_conflict. */
  observations(principal: Principal, items: Observations, request?: RequestKey): Promise<Reply<ObservationsTaken>>;
}

/** The campaign as callers see it. */
export function campaignObject(env: Env, campaignId: CampaignId): CampaignApi {
  return stubOf<CampaignApi>(env, { object: 'campaign', name: campaignId });
}
