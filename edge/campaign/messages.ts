import type { CampaignId, Json, TaskId } from '#protocol';
import { shardOf, TabgridError } from '#protocol';
import { brokerAddress, type NewTask, type ParentEvent, type ToBroker } from '../broker/rpc.ts';
import type { EdgeConfig } from '../config.ts';
import { chunksOf } from '../lib/chunks.ts';
import type { SortableIds } from '../lib/ids.ts';
import type { Outbox } from '../lib/outbox.ts';
import { acceptingShards, homeShard } from '../lib/shards.ts';
import { prepare } from '../tasks/prepare.ts';
import { progressOf, type Registration } from './core/views.ts';
import type { CampaignCore, PlannedTask } from './core/types.ts';

/** Tasks of one message: it is one row of the outbox, and rows hold at most 2 MB. */
const maxMessageChars = 1_000_000;

/**
 * Parts of a campaign are small and many, and the campaign stands still without any of them: they are tried again soon and often. An evaluation
 * keeps the customary retries.
 */
const partRetries = {
  maxRetries: 10,
  policy: { baseDelayMs: 1000, factor: 2, maxDelayMs: 30_000, jitter: true },
} as const;

export interface MessageParts {
  readonly campaignId: CampaignId;
  readonly registration: Registration;
  readonly config: EdgeConfig;
  readonly ids: SortableIds;
  readonly outbox: Outbox<ToBroker>;
}

/** What a campaign says to the broker shard that its own task is in, and to those that its other tasks are in. Everything goes through the outbox, inside the caller’s transaction. */
export class BrokerMessages {
  readonly #parts: MessageParts;

  constructor(parts: MessageParts) {
    this.#parts = parts;
  }

  /** The task that stands for the campaign, and the first event. */
  announce(nowMs: number): void {
    const { campaignId, registration } = this.#parts;
    const task = prepare(
      { task: 'run_campaign', kwargs: { campaign_id: campaignId } },
      {
        ...this.#context(nowMs),
        taskId: registration.taskId,
        ref: 'campaign',
      },
    );
    this.#send({ type: 'submit', tasks: [task] });
  }

  /**
   * Submits tasks under ids of their own. @returns the ids by ref.
   * @throws TabgridError when one of them is refused.
   */
  submit(tasks: readonly PlannedTask[], nowMs: number): { ref: string; taskId: TaskId }[] {
    const prepared = tasks.map((task) => this.#prepare(task, nowMs));
    const { outbox } = this.#parts;
    for (const chunk of chunksOf(prepared, maxMessageChars)) {
      outbox.send(brokerAddress(this.#shardOfTasks), { type: 'submit', tasks: chunk });
    }
    return prepared.map(({ ref = '', task_id: taskId }) => ({ ref, taskId: taskId ?? this.#newId() }));
  }

  revoke(taskIds: TaskId[]): void {
    for (const [shard, ids] of byShard(taskIds)) {
      this.#parts.outbox.send(brokerAddress(shard), { type: 'revoke', task_ids: ids });
    }
  }

  event(type: ParentEvent['type'], data: Json, nowMs: number): void {
    const { campaignId, registration } = this.#parts;
    const item: ParentEvent = { type, time_ms: nowMs, campaign_id: campaignId, data };
    this.#send({ type: 'events', owner: registration.owner, items: [item] });
  }

  /** How far it has come, for those who watch the campaign and for those who watch its task. */
  progress(core: CampaignCore, nowMs: number, detail: Record<string, Json> = {}): void {
    const progress = progressOf(core);
    this.event('campaign-progress', { ...progress, ...detail }, nowMs);
    const { fraction, step, ...rest } = progress;
    this.#send({
      type: 'progress',
      task_id: this.#parts.registration.taskId,
      progress: { fraction, message: step, ...rest },
    });
  }

  finish(outcome: (ToBroker & { type: 'finish' })['outcome']): void {
    this.#send({ type: 'finish', task_id: this.#parts.registration.taskId, outcome });
  }

  #prepare({ ref, task, kwargs }: PlannedTask, nowMs: number): NewTask {
    const prepared = prepare({ task, kwargs }, { ...this.#context(nowMs), taskId: this.#newId(), ref });
    if (task === 'evaluate_candidates') return prepared;
    return { ...prepared, max_retries: partRetries.maxRetries, retry: partRetries.policy };
  }

  #context(
    nowMs: number,
  ): Pick<Parameters<typeof prepare>[1], 'owner' | 'nowMs' | 'config' | 'parent' | 'notify'> & object {
    const { campaignId, registration, config } = this.#parts;
    return {
      owner: registration.owner,
      nowMs,
      config,
      parent: { campaign_id: campaignId },
      notify: { object: 'campaign', name: campaignId },
    };
  }

  /** The campaign’s own, unless that one is being drained. */
  get #shardOfTasks(): number {
    const { campaignId, registration, config } = this.#parts;
    const home = shardOf(registration.taskId);
    const shards = acceptingShards(config);
    return shards.includes(home) ? home : homeShard(campaignId, shards);
  }

  #newId(): TaskId {
    return `${this.#shardOfTasks}-${this.#parts.ids.next()}` as TaskId;
  }

  #send(message: ToBroker): void {
    this.#parts.outbox.send(brokerAddress(shardOf(this.#parts.registration.taskId)), message);
  }
}

function byShard(ids: readonly TaskId[]): Map<number, TaskId[]> {
  const shards = new Map<number, TaskId[]>();
  for (const id of ids) shards.set(shardOf(id), [...(shards.get(shardOf(id)) ?? []), id]);
  return shards;
}

/** The words of a refusal that ends a campaign. Anything else is a defect and is thrown on. */
export function refusalOf(error: unknown): string {
  if (error instanceof TabgridError) return `A task was refused: ${error.message}`;
  throw error;
}
