import {
  reconnectPolicy,
  retryDelayMs,
  TabgridError,
  type CampaignId,
  type CampaignSpec,
  type Json,
  type TaskId,
} from '#protocol';
import type { FromBroker, TaskProgress, ToBroker } from '../broker/rpc.ts';
import { loadConfig, type EdgeConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { Alarms } from '../lib/alarms.ts';
import type { Clock } from '../lib/clock.ts';
import { carryFrom } from '../lib/delivery.ts';
import { SortableIds } from '../lib/ids.ts';
import { log } from '../lib/log.ts';
import { migrate } from '../lib/migrate.ts';
import { Outbox, receive, type Envelope, type ObjectAddress } from '../lib/outbox.ts';
import { SqlOutboxStore } from '../lib/outbox-store.ts';
import { acceptingShards, anyShard } from '../lib/shards.ts';
import { Database } from '../lib/sql.ts';
import { doChore, nextChore } from './chores.ts';
import { begin, step } from './core/step.ts';
import type { CampaignCommand, CampaignCore, CampaignEvent, Step } from './core/types.ts';
import { BrokerMessages, refusalOf } from './messages.ts';
import { migrations } from './schema.ts';
import { CampaignStore, type Stored } from './store.ts';

type AlarmName = 'outbox' | 'chores';

/** A chore that was cut off is begun again after so long. */
const choreMs = 10_000;

interface Parts {
  readonly store: CampaignStore;
  readonly outboxStore: SqlOutboxStore;
  readonly outbox: Outbox<ToBroker>;
  readonly alarms: Alarms<AlarmName>;
}

/**
 * What moves a campaign: each event is one transaction over its tables, and the messages and chores that it leads to follow the commit. Memory holds
 * what the tables say, and nothing else that matters.
 */
export class Engine {
  readonly #context: DurableObjectState;
  readonly #env: Env;
  readonly #clock: Clock;
  readonly #config: EdgeConfig;
  readonly #database: Database;
  readonly #ids: SortableIds;
  /** Null until the campaign is created: asking for one that does not exist leaves nothing behind. */
  #parts: Parts | null = null;
  /** What the tables say. */
  #stored: Stored | null = null;
  #toldMs = -Infinity;
  #toldPhase = '';
  #chores: Promise<void> | null = null;
  #choreFailures = 0;

  constructor(context: DurableObjectState, env: Env, clock: Clock) {
    this.#context = context;
    this.#env = env;
    this.#clock = clock;
    this.#config = loadConfig(env);
    this.#database = new Database(context.storage);
    this.#ids = new SortableIds(clock);
    const table = this.#database.maybe(`SELECT 1 AS found FROM sqlite_master WHERE name = 'migrations'`);
    if (table === undefined) return;
    const { store, alarms } = this.#open();
    this.#stored = store.load();
    alarms.verify();
  }

  /** The campaign as it stands; null when there is none. */
  get stored(): Stored | null {
    return this.#stored;
  }

  #open(): Parts {
    migrate(this.#database, migrations);
    const outboxStore = new SqlOutboxStore(this.#database);
    const alarms = new Alarms<AlarmName>(this.#database, this.#context.storage, this.#clock);
    const outbox = new Outbox<ToBroker>({
      store: outboxStore,
      clock: this.#clock,
      carry: (target, messages) => carryFrom(this.#env, this.#address())(target, messages),
      wakeBy: (dueMs) => alarms.setBy('outbox', dueMs),
      arm: () => alarms.arm(),
    });
    this.#parts = { store: new CampaignStore(this.#database), outboxStore, outbox, alarms };
    return this.#parts;
  }

  create(owner: string, campaignId: CampaignId, spec: CampaignSpec): Stored {
    const { store } = this.#parts ?? this.#open();
    const shard = anyShard(this.#clock.random(), acceptingShards(this.#config));
    const nowMs = this.#clock.now();
    const { state, commands } = begin(campaignId, spec, nowMs);
    const stored = { owner, taskId: `${shard}-${this.#ids.next()}` as TaskId, core: state };
    this.commit(() => {
      this.#stored = stored;
      store.create(stored);
      this.#messages().announce(nowMs);
      this.#carryOut(commands, nowMs);
      this.#tell(nowMs);
    });
    return stored;
  }

  /** Messages from the broker. */
  deliver(sender: ObjectAddress, messages: readonly Envelope[]): number {
    const { outboxStore } = this.parts;
    return this.commit(() => receive(outboxStore, sender, messages, (body) => this.#takeMessage(body)));
  }

  /** Progress of parts, as well as it comes. */
  taskProgress(items: readonly TaskProgress[]): void {
    const nowMs = this.#clock.now();
    const { store } = this.parts;
    const newest = items.findLast(({ ref, task_id: taskId }) => store.hasTask(ref, taskId));
    if (newest === undefined || nowMs < this.#toldMs + this.#config.progressIntervalMs) return;
    const { ref, progress } = newest;
    this.commit(() => {
      this.#toldMs = nowMs;
      this.#messages().progress(this.#required().core, nowMs, {
        task: { ref, fraction: progress.fraction ?? null, message: progress.message ?? null },
      });
    });
  }

  async alarm(): Promise<void> {
    if (this.#parts === null) return;
    const { alarms, outbox } = this.#parts;
    alarms.fired();
    alarms.take(this.#clock.now());
    await Promise.all([outbox.flush(), this.#work()]);
    // What has not got through has set its due time anew.
    alarms.arm();
  }

  #takeMessage(body: Json): void {
    const message = body as unknown as FromBroker;
    switch (message.type) {
      case 'finished':
        for (const { ref, task_id: taskId, state, result, error } of message.items) {
          if (!this.parts.store.takeTask(ref, taskId)) continue;
          this.apply({ type: 'task_finished', ref, state, result, error });
        }
        return;
      case 'revoked':
        if (message.task_id === this.#stored?.taskId) this.apply({ type: 'revoked' });
    }
  }

  /** One event, within a transaction. */
  apply(event: CampaignEvent): void {
    const stored = this.#stored;
    if (stored === null) return;
    const nowMs = this.#clock.now();
    const { state, commands } = this.#step(stored.core, event, nowMs);
    if (state === stored.core && commands.length === 0) return;
    this.parts.store.save(stored.core, state);
    this.#stored = { ...stored, core: state };
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
    const { store } = this.parts;
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
      this.parts.store.addTasks(this.#messages().submit(tasks, nowMs));
      return;
    } catch (error) {
      refusal = refusalOf(error);
    }
    this.apply({ type: 'broken', code: 'invalid_arguments', message: refusal });
  }

  /** Progress with every new phase, and else as often as the deployment says. */
  #tell(nowMs: number): void {
    const core = this.#required().core;
    const phase = `${core.phase.type} ${core.iteration} ${core.paused}`;
    if (phase === this.#toldPhase && nowMs < this.#toldMs + this.#config.progressIntervalMs) return;
    this.#toldMs = nowMs;
    this.#toldPhase = phase;
    this.#messages().progress(core, nowMs);
  }

  /** Runs `body` as one transaction, then sends what it has to say and does what it leaves to do. What throws leaves everything as it was. */
  commit<T>(body: () => T): T {
    const { alarms, outbox, store } = this.parts;
    try {
      const result = this.#database.transaction(() => {
        const value = body();
        if (this.#nextChore() !== null) alarms.setBy('chores', this.#clock.now() + choreMs);
        return value;
      });
      alarms.arm();
      this.#context.waitUntil(outbox.flush());
      this.#context.waitUntil(this.#work());
      return result;
    } catch (error) {
      this.#stored = store.load();
      alarms.reload();
      throw error;
    }
  }

  #nextChore(): ReturnType<typeof nextChore> {
    return this.#stored === null ? null : nextChore(this.#stored.core, this.parts.store.doomed());
  }

  /** Does chores until none is left, one at a time. */
  #work(): Promise<void> {
    this.#chores ??= this.#doChores().finally(() => (this.#chores = null));
    return this.#chores;
  }

  async #doChores(): Promise<void> {
    const { alarms, store } = this.parts;
    for (let chore = this.#nextChore(); chore !== null; chore = this.#nextChore()) {
      const stored = this.#stored;
      if (stored === null) return;
      try {
        const event = await doChore(this.#env, stored.owner, stored.core, chore);
        this.#choreFailures = 0;
        if (chore.type === 'delete') store.forget(chore.path);
        if (event !== null) this.commit(() => this.apply(event));
      } catch (error) {
        log('warn', 'campaign-chore-failed', { chore: chore.type, error });
        const delayMs = 50 + retryDelayMs(reconnectPolicy, this.#choreFailures++, this.#clock.random());
        alarms.set('chores', this.#clock.now() + delayMs);
        alarms.arm();
        return;
      }
    }
    alarms.clear('chores');
  }

  #address(): ObjectAddress {
    return { object: 'campaign', name: this.#required().core.campaignId };
  }

  #messages(): BrokerMessages {
    const registration = this.#required();
    const { campaignId } = registration.core;
    const { outbox } = this.parts;
    return new BrokerMessages({ campaignId, registration, config: this.#config, ids: this.#ids, outbox });
  }

  /** @throws TabgridError `not_found` */
  get parts(): Parts {
    if (this.#parts === null) throw missing();
    return this.#parts;
  }

  #required(): Stored {
    if (this.#stored === null) throw missing();
    return this.#stored;
  }
}

export function missing(): TabgridError {
  return new TabgridError('not_found', 'no such campaign');
}
