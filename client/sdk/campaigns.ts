import type { z } from 'zod';
import {
  type CampaignId,
  type campaignSpecSchema,
  type CampaignView,
  type Observations,
  type ParetoView,
  type TaskId,
} from '#protocol';
import { AsyncResult } from './async-result.ts';
import type { EventFilter, EventStream } from './events.ts';
import type { Result } from '#catalog';
import type { Transport } from './transport.ts';
import { watch } from './watch.ts';

/** A campaign as a caller writes it, defaults left out. */
export type CampaignSpecInput = z.input<typeof campaignSpecSchema>;

/** A campaign in a list: without what grows with it. */
export type CampaignSummary = Omit<CampaignView, 'spec' | 'history'>;

/** How much of a campaign is asked for. */
export interface ViewOptions {
  /** Iterations after this one. */
  after?: number;
  /** At most so many iterations, 1 … 1,000. */
  limit?: number;
  signal?: AbortSignal;
}

/** The optimisation loop: dataset, space, objectives and evaluator in, designs out. */
export class Campaigns {
  readonly #transport: Transport;
  readonly #events: (filter: EventFilter) => EventStream;

  constructor(transport: Transport, events: (filter: EventFilter) => EventStream) {
    this.#transport = transport;
    this.#events = events;
  }

  /** Starts a campaign and returns at once. A repeat with the same key is answered with the first one’s campaign. */
  async run(spec: CampaignSpecInput, options: { idempotencyKey?: string } = {}): Promise<Campaign> {
    const started = await this.#transport.json<{ campaign_id: CampaignId; task_id: TaskId }>({
      method: 'POST',
      path: '/v1/campaigns/run',
      json: spec,
      idempotencyKey: options.idempotencyKey,
    });
    return this.get(started.campaign_id);
  }

  /** A campaign that was started before. Nothing is sent yet. */
  get(id: string): Campaign {
    return new Campaign(id as CampaignId, this.#transport, this.#events);
  }

  /** Newest first, page after page. */
  async *list(): AsyncGenerator<CampaignSummary, void, undefined> {
    yield* this.#transport.pages<CampaignSummary>('/v1/campaigns', 'campaigns', {});
  }
}

export class Campaign {
  readonly id: CampaignId;
  readonly #transport: Transport;
  readonly #events: (filter: EventFilter) => EventStream;

  constructor(id: CampaignId, transport: Transport, events: (filter: EventFilter) => EventStream) {
    this.id = id;
    this.#transport = transport;
    this.#events = events;
  }

  /** The campaign as it is now, with its newest 1,000 iterations or as `options` say. */
  async view(options: ViewOptions = {}): Promise<CampaignView> {
    return await this.#transport.json<CampaignView>({
      path: `/v1/campaigns/${this.id}`,
      query: { after: options.after, limit: options.limit },
      signal: options.signal,
    });
  }

  /** The task that stands for it; its result is the campaign’s. */
  async result(): Promise<AsyncResult<Result<'run_campaign'>>> {
    return new AsyncResult((await this.view()).task_id, this.#transport, this.#events);
  }

  /** The campaign as it is now and each time it has changed, the last time when it is over. Needs a WebSocket. */
  async *watch(options: ViewOptions = {}): AsyncGenerator<CampaignView, void, undefined> {
    yield* watch<CampaignView>({
      events: this.#events({ campaignId: this.id }),
      look: () => this.view(options),
      isOver: (view) => view.finished_at !== null,
      clock: this.#transport.options.clock,
      signal: options.signal,
    });
  }

  /** Candidates that none other beats in every objective, and the hypervolume that they dominate. */
  async pareto(): Promise<ParetoView> {
    return await this.#transport.json<ParetoView>({ path: `/v1/campaigns/${this.id}/pareto` });
  }

  /** The results as one document. */
  async export(format: 'json' | 'csv'): Promise<string> {
    const response = await this.#transport.send({ path: `/v1/campaigns/${this.id}/export`, query: { format } });
    return await response.text();
  }

  /** Brings in results of one’s own, from a laboratory or an earlier study. Repeats are told apart by the key. */
  async observe(observations: Observations, options: { idempotencyKey?: string } = {}): Promise<void> {
    await this.#transport.send({
      method: 'POST',
      path: `/v1/campaigns/${this.id}/observations`,
      json: { observations },
      idempotencyKey: options.idempotencyKey,
    });
  }

  /** Ends it after the evaluations that are under way. */
  async stop(): Promise<void> {
    await this.#command('stop');
  }

  /** Proposes nothing new until `resume`. */
  async pause(): Promise<void> {
    await this.#command('pause');
  }

  async resume(): Promise<void> {
    await this.#command('resume');
  }

  async #command(command: 'pause' | 'resume' | 'stop'): Promise<void> {
    await this.#transport.send({ method: 'POST', path: `/v1/campaigns/${this.id}/${command}` });
  }
}
