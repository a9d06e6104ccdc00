import { DurableObject } from 'cloudflare:workers';
import type { CampaignId, CampaignSpec, CampaignView, Observations, ParetoView, Principal } from '#protocol';
import type { RequestKey, TaskProgress } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { SwitchableClock } from '../lib/clock.ts';
import type { Envelope, ObjectAddress } from '../lib/outbox.ts';
import { reply, type Reply } from '../lib/rpc.ts';
import { Campaigning } from './campaigning.ts';
import type { CampaignApi, CampaignStarted, HistoryQuery, ObservationsTaken } from './rpc.ts';

/** One campaign: the thin object. It turns calls and alarms into work for `Campaigning`, and keeps nothing itself. */
export class Campaign extends DurableObject<Env> implements CampaignApi {
  readonly clock = new SwitchableClock();
  readonly campaigning: Campaigning;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.campaigning = new Campaigning(context, env, this.clock);
  }

  create(principal: Principal, campaignId: CampaignId, spec: CampaignSpec): Promise<Reply<CampaignStarted>> {
    return reply(() => this.campaigning.create(principal, campaignId, spec));
  }

  view(principal: Principal, history?: HistoryQuery): Promise<Reply<CampaignView>> {
    return reply(() => this.campaigning.view(principal, history));
  }

  pareto(principal: Principal): Promise<Reply<ParetoView>> {
    return reply(() => this.campaigning.pareto(principal));
  }

  exportAs(principal: Principal, format: 'json' | 'csv'): Promise<Reply<{ content_type: string; body: string }>> {
    return reply(() => this.campaigning.exportAs(principal, format));
  }

  exportResults(owner: string, formats: readonly ('json' | 'csv')[], outputPrefix: string): Promise<Reply<string[]>> {
    return reply(() => this.campaigning.exportResults(owner, formats, outputPrefix));
  }

  pause(principal: Principal): Promise<Reply<CampaignView>> {
    return reply(() => this.campaigning.direct(principal, { type: 'pause' }));
  }

  resume(principal: Principal): Promise<Reply<CampaignView>> {
    return reply(() => this.campaigning.direct(principal, { type: 'resume' }));
  }

  stop(principal: Principal): Promise<Reply<CampaignView>> {
    return reply(() => this.campaigning.direct(principal, { type: 'stop', reason: `Stopped by ${principal.sub}.` }));
  }

  observations(principal: Principal, items: Observations, request?: RequestKey): Promise<Reply<ObservationsTaken>> {
    return reply(() => this.campaigning.observations(principal, items, request));
  }

  deliver(sender: ObjectAddress, messages: Envelope[]): Promise<Reply<number>> {
    return reply(() => this.campaigning.engine.deliver(sender, messages));
  }

  taskProgress(items: TaskProgress[]): Promise<Reply<null>> {
    return reply(() => {
      this.campaigning.engine.taskProgress(items);
      return null;
    });
  }

  override async alarm(): Promise<void> {
    await this.campaigning.engine.alarm();
  }
}
