import { campaignFolder, TabgridError, type CampaignId, type CampaignSpec, type Json, type TaskId } from '#protocol';
import type { FromBroker, TaskProgress } from '../broker/rpc.ts';
import { loadConfig, type EdgeConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { Holder } from '../holder/holder.ts';
import type { Clock } from '../lib/clock.ts';
import { SortableIds } from '../lib/ids.ts';
import { log } from '../lib/log.ts';
import type { Envelope, ObjectAddress } from '../lib/outbox.ts';
import { acceptingShards, anyShard } from '../lib/shards.ts';
import { doChore, nextChore, type Chore } from './chores.ts';
import { begin, step } from './core/step.ts';
import type { CampaignCommand, CampaignCore, CampaignEvent, Step } from './core/types.ts';
import { BrokerMessages, refusalOf } from './messages.ts';
import { migrations } from './schema.ts';
import { CampaignStore, type Stored } from './store.ts';

/**
 * What moves a campaign: each event is one transaction, and the messages and chores that it leads to follow the commit.
 */
export class Engine {
  readonly #env: Env;
  readonly #clock: Clock;
  readonly #config: EdgeConfig;
  readonly #ids: SortableIds;
  readonly holder: Holder<Stored, CampaignStore, Chore>;
  #toldMs = -Infinity;
  #toldPhase = '';

  constructor(context: DurableObjectState, env: Env, clock: Clock) {
    this.#env = env;
    this.#clock = clock;
    this.#config = loadConfig(env);
    this.#ids = new SortableIds(clock);
    this.holder = new Holder({
      context,
      env,
      clock,
      migrations,
      openStore: (database) => new CampaignStore(database),
      addressOf: ({ core }) => ({ object: 'campaign', name: core.campaignId }),
      folderOf: ({ core }) => campaignFolder(core.campaignId),
      retentionMs: this.#config.campaignRetentionMs,
      nextChore: () => (this.stored === null ? null : nextChore(this.stored.core, this.store.doomed())),
      doChore: (chore) => this.#doChore(chore),
      missing,
    });
  }

  /** The campaign as it stands; null when there is none. */
  get stored(): Stored | null {
    return this.holder.stored;
  }

  /** @throws TabgridError `not_found` */
  get store(): CampaignStore {
    return this.holder.parts.store;
  }

  create(owner: string, campaignId: CampaignId, spec: CampaignSpec): Stored {
    this.holder.open();
    const shard = anyShard(this.#clock.random(), acceptingShards(this.#config));
    const nowMs = this.#clock.now();
    const { state, commands } = begin(campaignId, spec, nowMs);
    const stored = { owner, taskId: `${shard}-${this.#ids.next()}` as TaskId, core: state };
    this.commit(() => {
      this.holder.stored = stored;
      this.store.create(stored);
      this.#messages().announce(nowMs);
      this.#carryOut(commands, nowMs);
      this.#tell(nowMs);
    });
    return stored;
  }

  /** Messages from the broker. */
  deliver(sender: ObjectAddress, messages: readonly Envelope[]): number {
    return this.commit(() => this.holder.receive(sender, messages, (body) => this.#takeMessage(body)));
  }

  /** Progress of parts, as well as it comes. */
  taskProgress(items: readonly TaskProgress[]): void {
    const nowMs = this.#clock.now();
    const newest = items.findLast(({ ref, task_id: taskId }) => this.store.hasTask(ref, taskId));
    if (newest === undefined || nowMs < this.#toldMs + this.#config.progressIntervalMs) return;
    const { ref, progress } = newest;
    this.commit(() => {
      this.#toldMs = nowMs;
      this.#messages().progress(this.holder.required.core, nowMs, {
        task: { ref, fraction: progress.fraction ?? null, message: progress.message ?? null },
      });
    });
  }

  async alarm(): Promise<void> {
    await this.holder.alarm();
  }

  #takeMessage(body: Json): void {
    const message = body as unknown as FromBroker;
    switch (message.type) {
      case 'finished':
        for (const { ref, task_id: taskId, state, result, error } of message.items) {
          if (!this.store.takeTask(ref, taskId)) continue;
          this.apply({ type: 'task_finished', ref, state, result, error });
        }
        return;
      case 'revoked':
        if (message.task_id === this.stored?.taskId) this.apply({ type: 'revoked' });
    }
  }

  /** One event, within a transaction. */
  apply(event: CampaignEvent): void {
    const { stored } = this;
    if (stored === null) return;
    const nowMs = this.#clock.now();
    const { state, commands } = this.#step(stored.core, event, nowMs);
    if (state === stored.core && commands.length === 0) return;
    this.store.save(stored.core, state);
    this.holder.stored = { ...stored, core: state };
    this.#carryOut(commands, nowMs);
    this.#tell(nowMs);
  }

  /** A defect ends the campaign in words; it would come again with each delivery of the same message. */
  #step(core: CampaignCore, event: CampaignEvent, nowMs: number): Step {
    try {
      return step(core, event, nowMs);
    } catch (error) {
      log('error', 'campaign-step-failed', { event: event.type, phase: core.phase.type, error });
      const message = 'Something went wrong in Tabgrid; the log has the details.';
      return step(core, { type: 'broken', code: 'internal', message }, nowMs);
    }
  }

  #carryOut(commands: readonly CampaignCommand[], nowMs: number): void {
    const { store } = this;
    const messages = this.#messages();
    for (const command of commands) {
      switch (command.type) {
        case 'submit':
          this.#submit(command.tasks, nowMs);
          break;
        case 'revoke_all':
          messages.revoke(store.takeAllTasks());
          break;
        case 'delete_files':
          store.doom(command.paths);
          break;
        case 'event':
          messages.event(command.event, command.data, nowMs);
          break;
        case 'finish':
          messages.finish(command.outcome);
      }
    }
  }

  #submit(tasks: (CampaignCommand & { type: 'submit' })['tasks'], nowMs: number): void {
    let refusal: string;
    try {
      this.store.addTasks(this.#messages().submit(tasks, nowMs));
      return;
    } catch (error) {
      refusal = refusalOf(error);
    }
    this.apply({ type: 'broken', code: 'invalid_arguments', message: refusal });
  }

  /** Progress with every new phase, and else as often as the deployment says. */
  #tell(nowMs: number): void {
    const { core } = this.holder.required;
    const phase = `${core.phase.type} ${core.iteration} ${core.paused}`;
    if (phase === this.#toldPhase && nowMs < this.#toldMs + this.#config.progressIntervalMs) return;
    this.#toldMs = nowMs;
    this.#toldPhase = phase;
    this.#messages().progress(core, nowMs);
  }

  /** Runs `body` as one transaction, then sends what it has to say and does what it leaves to do. What throws leaves everything as it was. */
  commit<T>(body: () => T): T {
    return this.holder.commit(body);
  }

  async #doChore(chore: Chore): Promise<void> {
    const { owner, core } = this.holder.required;
    const event = await doChore(this.#env, owner, core, chore);
    if (chore.type === 'delete') this.store.forget(chore.path);
    if (event !== null) this.commit(() => this.apply(event));
  }

  #messages(): BrokerMessages {
    const registration = this.holder.required;
    const { campaignId } = registration.core;
    const { outbox } = this.holder.parts;
    return new BrokerMessages({ campaignId, registration, config: this.#config, ids: this.#ids, outbox });
  }
}

export function missing(): TabgridError {
  return new TabgridError('not_found', 'no such campaign');
}
