import {
  canonicalJson,
  invalidRequest,
  owns,
  TabgridError,
  type CampaignId,
  type CampaignSpec,
  type CampaignView,
  type Observations,
  type ParetoView,
  type Principal,
} from '#protocol';
import type { RequestKey } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { writeFile } from '../files/access.ts';
import type { Clock } from '../lib/clock.ts';
import { specFaults } from './core/check.ts';
import { givenOf } from './core/observations.ts';
import type { CampaignEvent } from './core/types.ts';
import { campaignView, exportCsv, exportJson, paretoView } from './core/views.ts';
import { Engine, missing } from './engine.ts';
import type { CampaignStarted, HistoryQuery, ObservationsTaken } from './rpc.ts';
import type { Stored } from './store.ts';

/** What can be asked of one campaign. Refusals are thrown as `TabgridError`s. */
export class Campaigning {
  readonly engine: Engine;
  readonly #env: Env;

  constructor(context: DurableObjectState, env: Env, clock: Clock) {
    this.engine = new Engine(context, env, clock);
    this.#env = env;
  }

  create(principal: Principal, campaignId: CampaignId, spec: CampaignSpec): CampaignStarted {
    const present = this.engine.stored;
    if (present !== null) {
      if (present.owner === principal.sub && canonicalJson(present.core.spec) === canonicalJson(spec)) {
        return { campaign_id: campaignId, task_id: present.taskId };
      }
      throw new TabgridError('idempotency_conflict', 'this campaign was started with another specification');
    }
    const faults = specFaults(spec);
    if (faults.length > 0) throw invalidRequest(...faults);
    const { taskId } = this.engine.create(principal.sub, campaignId, spec);
    return { campaign_id: campaignId, task_id: taskId };
  }

  view(principal: Principal, history: HistoryQuery = {}): CampaignView {
    const stored = this.#owned(principal);
    return campaignView(stored.core, stored, history);
  }

  pareto(principal: Principal): ParetoView {
    return paretoView(this.#owned(principal).core);
  }

  exportAs(principal: Principal, format: 'json' | 'csv'): { content_type: string; body: string } {
    const stored = this.#owned(principal);
    return format === 'json'
      ? { content_type: 'application/json', body: exportJson(stored.core, stored) }
      : { content_type: 'text/csv; charset=utf-8', body: exportCsv(stored.core) };
  }

  async exportResults(owner: string, formats: readonly ('json' | 'csv')[], prefix: string): Promise<string[]> {
    const principal = { sub: owner, scope: [] };
    const { core } = this.#owned(principal);
    const paths: string[] = [];
    for (const format of formats) {
      const { content_type: contentType, body } = this.exportAs(principal, format);
      const path = `${prefix}/${core.campaignId}.${format}`;
      await writeFile(this.#env, owner, path, new TextEncoder().encode(body), contentType);
      paths.push(path);
    }
    return paths;
  }

  /** Pause, resume, stop. */
  direct(principal: Principal, event: CampaignEvent & { type: 'pause' | 'resume' | 'stop' }): CampaignView {
    const { core } = this.#owned(principal);
    const stoppedBefore = core.phase.type === 'finished' && core.phase.state === 'STOPPED';
    if (core.phase.type === 'finished' && !(event.type === 'stop' && stoppedBefore)) throw over(core.phase.state);
    this.engine.commit(() => this.engine.apply(event));
    return this.view(principal);
  }

  observations(principal: Principal, items: Observations, request?: RequestKey): ObservationsTaken {
    const { core } = this.#owned(principal);
    const { store } = this.engine;
    const before = request === undefined ? null : store.answered(request.key);
    if (before !== null) {
      if (before.digest === request?.bodyDigest) return before.answer as unknown as ObservationsTaken;
      throw new TabgridError('idempotency_conflict', 'this Idempotency-Key was used with another body');
    }
    if (core.phase.type === 'finished') throw over(core.phase.state);
    if (core.phase.type === 'loading') {
      throw new TabgridError('unavailable', 'The campaign is still reading its files.', { retryAfterSeconds: 1 });
    }
    const given = givenOf(core, items);
    const answer = { accepted: given.length, total: core.candidates.length + given.length };
    this.engine.commit(() => {
      this.engine.apply({ type: 'given', items: given });
      if (request !== undefined) store.keepAnswer(request.key, request.bodyDigest, answer);
    });
    return answer;
  }

  #owned(principal: Principal): Stored {
    const { stored } = this.engine;
    if (stored === null || !owns(principal, stored.owner)) throw missing();
    return stored;
  }
}

function over(state: string): TabgridError {
  return new TabgridError('conflict', `the campaign is over: ${state}`);
}
