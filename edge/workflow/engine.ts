import { TabgridError, workflowFolder, type CanvasNode, type Json, type TaskParent, type WorkflowId } from '#protocol';
import type { FromBroker, ToBroker } from '../broker/rpc.ts';
import { loadConfig, type EdgeConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { deleteFolder } from '../files/access.ts';
import { Alarms } from '../lib/alarms.ts';
import type { Clock } from '../lib/clock.ts';
import { carryFrom } from '../lib/delivery.ts';
import { log } from '../lib/log.ts';
import { migrate } from '../lib/migrate.ts';
import { Outbox, receive, type Envelope, type ObjectAddress } from '../lib/outbox.ts';
import { SqlOutboxStore } from '../lib/outbox-store.ts';
import { acceptingShards } from '../lib/shards.ts';
import { Database } from '../lib/sql.ts';
import { Chores, isLasting, nextChore, readSources, writeResult, type Chore } from './chores.ts';
import { Commands } from './commands.ts';
import { checkCanvas } from './core/check.ts';
import { wantsToWiden } from './core/open.ts';
import { planOf } from './core/plan.ts';
import { taskIdOf, wholeRef } from './core/refs.ts';
import { begin, refuse, step } from './core/step.ts';
import type { Moment, Sources, Transition, WorkflowCommand, WorkflowCore, WorkflowEvent } from './core/types.ts';
import { fileOf } from './core/values.ts';
import { BrokerMessages, refusalOf } from './messages.ts';
import { workflowAddress, type Creation, type ToWorkflow } from './rpc.ts';
import { workflowMigrations } from './schema.ts';
import { WorkflowStore, type Stored } from './store.ts';
import { Waiters } from './waiters.ts';

type AlarmName = 'outbox' | 'chores' | 'widen' | 'retention';

/** A file whose writing was cut off is begun again after so long. */
const choreMs = 10_000;
/** How often arrays get more under way while nothing finishes. */
const widenMs = 1_000;

interface Parts {
  readonly store: WorkflowStore;
  readonly outboxStore: SqlOutboxStore;
  readonly outbox: Outbox<ToBroker>;
  readonly alarms: Alarms<AlarmName>;
  readonly commands: Commands;
}

/** A workflow’s beginning; `parent` is what started it where no request did. */
type Origin = Omit<Creation, 'canvas' | 'parent'> & { readonly parent: TaskParent | null };

/**
 * What moves a workflow: each event is one transaction over its tables, and the messages and files that it leads to follow the commit. Memory holds
 * what the tables say, and nothing else that matters.
 */
export class Engine {
  readonly config: EdgeConfig;
  readonly #context: DurableObjectState;
  readonly #env: Env;
  readonly #clock: Clock;
  readonly #database: Database;
  /** Null until the workflow is created: asking for one that does not exist leaves nothing behind. */
  #parts: Parts | null = null;
  /** What the tables say. */
  #stored: Stored | null = null;
  #toldMs = -Infinity;
  readonly #chores: Chores;
  readonly #waiters: Waiters;

  constructor(context: DurableObjectState, env: Env, clock: Clock) {
    this.#context = context;
    this.#env = env;
    this.#clock = clock;
    this.config = loadConfig(env);
    this.#database = new Database(context.storage);
    this.#waiters = new Waiters(clock);
    this.#chores = new Chores(
      clock,
      () => this.#nextChore(),
      (chore) => this.#doChore(chore),
    );
    const table = this.#database.maybe(`SELECT 1 AS found FROM sqlite_master WHERE name = 'migrations'`);
    if (table === undefined) return;
    const { store, alarms } = this.#open();
    this.#stored = store.load();
    alarms.verify();
  }

  /** The workflow as it stands; null when there is none. */
  get stored(): Stored | null {
    return this.#stored;
  }

  /** Rows written since the object was last built. */
  get rowsWritten(): number {
    return this.#database.rowsWritten;
  }

  #open(): Parts {
    migrate(this.#database, workflowMigrations);
    const outboxStore = new SqlOutboxStore(this.#database);
    const alarms = new Alarms<AlarmName>(this.#database, this.#context.storage, this.#clock);
    const outbox = new Outbox<ToBroker>({
      store: outboxStore,
      clock: this.#clock,
      carry: (target, messages) => carryFrom(this.#env, this.#address())(target, messages),
      wakeBy: (dueMs) => alarms.setBy('outbox', dueMs),
      arm: () => alarms.arm(),
    });
    const store = new WorkflowStore(this.#database);
    const commands = new Commands(store, (stored) => new BrokerMessages(stored, this.config, outbox));
    this.#parts = { store, outboxStore, outbox, alarms, commands };
    return this.#parts;
  }

  /** Starts a workflow whose canvas has been checked. @param digest of the canvas, by which a repeat is known. */
  create(owner: string, workflowId: WorkflowId, canvas: CanvasNode, sources: Sources, digest: string): Stored {
    if (this.#parts === null) this.#open();
    const taskId = taskIdOf(workflowId, wholeRef, this.#moment(owner));
    const origin = { owner, workflow_id: workflowId, task_id: taskId, parent: null };
    return this.commit(() => this.#start(origin, canvas, sources, digest), null);
  }

  /** Messages from the broker, and from the beat, which may be the first that is heard. */
  deliver(sender: ObjectAddress, messages: readonly Envelope[]): number {
    const { outboxStore } = sender.object === 'beat' ? (this.#parts ?? this.#open()) : this.parts;
    return this.commit(() => receive(outboxStore, sender, messages, (body) => this.#takeMessage(body)));
  }

  /** Within a transaction. */
  #start(origin: Origin, canvas: CanvasNode, sources: Sources, digest = ''): Stored {
    const plan = planOf(canvas, sources);
    const head = { workflowId: origin.workflow_id, labels: plan[0]?.labels ?? [] };
    return this.#register(origin, digest, begin(head, plan, this.#moment(origin.owner)));
  }

  /** Within a transaction. */
  #refuse(creation: Creation, { code: type, message }: TabgridError): void {
    const head = { workflowId: creation.workflow_id, labels: creation.canvas.labels ?? [] };
    this.#register(
      creation,
      '',
      refuse(head, { type, message, task_id: null, path: '' }, this.#moment(creation.owner)),
    );
  }

  #register({ owner, task_id: taskId, parent }: Origin, digest: string, { state, commands }: Transition): Stored {
    const stored = { owner, digest, taskId, core: state };
    this.#stored = stored;
    this.#toldMs = state.createdMs;
    this.#messages().announce(state.createdMs, parent);
    this.#carryOut(commands);
    return this.#stored;
  }

  /** Resolves when the workflow is final or the seconds have passed. */
  async wait(seconds: number): Promise<void> {
    if (!this.#isFinal() && seconds > 0) await this.#waiters.wait(seconds * 1000);
  }

  /** The whole canvas’s result; null until there is one. */
  result(): Json {
    const { core } = this.#required();
    return core.state === 'SUCCESS' ? this.parts.commands.valueOf(core, 0) : null;
  }

  async alarm(): Promise<void> {
    if (this.#parts === null) return;
    const { alarms, outbox } = this.#parts;
    alarms.fired();
    const due = alarms.take(this.#clock.now());
    if (due.includes('widen')) this.commit(() => this.apply({ type: 'widen' }));
    await Promise.all([outbox.flush(), this.#work(), ...(due.includes('retention') ? [this.#trim()] : [])]);
    // What has not got through has set its due time anew.
    alarms.arm();
  }

  #takeMessage(body: Json): void {
    const message = body as unknown as FromBroker | ToWorkflow;
    switch (message.type) {
      case 'finished':
        for (const { ref, task_id: taskId, state, result, error, runtime_ms: runtimeMs } of message.items) {
          const text = state === 'SUCCESS' ? JSON.stringify(result) : '';
          const bytes = new TextEncoder().encode(text).length;
          const items = Array.isArray(result) ? result.length : null;
          const isFile = fileOf(result) !== null;
          this.apply({ type: 'task_finished', ref, taskId, state, bytes, items, isFile, error, runtimeMs }, text);
        }
        return;
      case 'revoked':
        if (message.task_id === this.#stored?.taskId) {
          this.apply({ type: 'revoke', terminate: message.terminate, byTask: true });
        }
        return;
      case 'create':
        this.#takeCreation(message);
    }
  }

  #takeCreation(creation: Creation): void {
    const { store } = this.parts;
    if (this.#stored !== null || store.creation() !== null) return;
    try {
      const files = checkCanvas(creation.canvas);
      if (files.size === 0) this.#start(creation, creation.canvas, {});
      else store.setCreation(creation);
    } catch (error) {
      this.#refuse(creation, refusalOf(error));
    }
  }

  /** One event, within a transaction. @param result the JSON that it brings. */
  apply(event: WorkflowEvent, result = ''): void {
    const stored = this.#stored;
    if (stored === null) return;
    const { state, commands } = this.#step(stored.core, event);
    this.#stored = { ...stored, core: state };
    this.#carryOut(commands, result);
  }

  #step(core: WorkflowCore, event: WorkflowEvent): Transition {
    try {
      return step(core, event, this.#moment(this.#required().owner));
    } catch (error) {
      const { code, message } = refusalOf(error);
      return step(core, { type: 'broken', code, message }, this.#moment(this.#required().owner));
    }
  }

  #carryOut(commands: readonly WorkflowCommand[], result = ''): void {
    const refused = this.parts.commands.carryOut(this.#required(), commands, { result, nowMs: this.#clock.now() });
    for (const event of refused) this.apply(event);
  }

  /** Runs `body` as one transaction, then sends what it has to say and writes what it leaves to write. What throws leaves everything as it was. */
  commit<T>(body: () => T, before = this.#stored?.core ?? null): T {
    const { alarms, commands, outbox, store } = this.parts;
    try {
      const result = this.#database.transaction(() => {
        const value = body();
        const after = this.#stored;
        if (after !== null && after.core !== before) {
          commands.send(after);
          this.#tell();
          if (before === null) store.create(after);
          else store.save(before, after.core);
        }
        this.#setAlarms();
        return value;
      });
      alarms.arm();
      this.#context.waitUntil(outbox.flush());
      this.#context.waitUntil(this.#work());
      if (this.#isFinal()) this.#waiters.wake();
      return result;
    } catch (error) {
      commands.forget();
      this.#stored = store.load();
      alarms.reload();
      throw error;
    }
  }

  /** Progress as often as the deployment says. */
  #tell(): void {
    const nowMs = this.#clock.now();
    if (nowMs < this.#toldMs + this.config.progressIntervalMs || this.#isFinal()) return;
    this.#toldMs = nowMs;
    this.#messages().progress(nowMs);
  }

  #setAlarms(): void {
    const { alarms } = this.parts;
    const nowMs = this.#clock.now();
    if (this.#nextChore() !== null) alarms.setBy('chores', nowMs + choreMs);
    if (this.#stored === null) return;
    const { core } = this.#stored;
    if (wantsToWiden(core)) alarms.setBy('widen', nowMs + widenMs);
    if (core.finishedMs !== null) alarms.setBy('retention', core.finishedMs + this.config.resultRetentionMs);
  }

  async #work(): Promise<void> {
    const { alarms } = this.parts;
    const againMs = await this.#chores.work();
    if (againMs !== null) alarms.set('chores', againMs);
    else if (this.#nextChore() === null) alarms.clear('chores');
    alarms.arm();
  }

  async #doChore(chore: Chore): Promise<void> {
    const { store } = this.parts;
    if (chore.type === 'write') {
      const event = await writeResult(this.#env, chore, (node, part) => store.read(node, part));
      this.commit(() => this.apply(event));
      return;
    }
    const { creation } = chore;
    const read = await readSources(this.#context, creation).catch((error: unknown) => {
      if (isLasting(error)) return error;
      throw error;
    });
    this.commit(() => {
      store.setCreation(null);
      if (read instanceof TabgridError) this.#refuse(creation, read);
      else this.#start(creation, creation.canvas, read);
    });
  }

  /** Forgets a workflow that has been over for long enough, and its files. */
  async #trim(): Promise<void> {
    const stored = this.#stored;
    const { alarms, outboxStore, store } = this.parts;
    if (stored?.core.finishedMs == null) return;
    try {
      // What has not been said yet needs the name that it is said under.
      if (outboxStore.targets().length > 0) throw new Error('messages wait in the outbox');
      await deleteFolder(this.#env, stored.owner, workflowFolder(stored.core.workflowId));
      this.#stored = null;
      store.clear();
    } catch (error) {
      log('warn', 'workflow-not-trimmed', { error });
      alarms.setBy('retention', this.#clock.now() + choreMs);
    }
  }

  #nextChore(): Chore | null {
    return nextChore(this.#stored, this.#stored === null ? this.parts.store.creation() : null);
  }

  #isFinal(): boolean {
    return this.#stored !== null && this.#stored.core.state !== 'STARTED';
  }

  #moment(owner: string): Moment {
    return { nowMs: this.#clock.now(), shards: acceptingShards(this.config), owner };
  }

  #address(): ObjectAddress {
    return workflowAddress(this.#required().core.workflowId);
  }

  #messages(): BrokerMessages {
    return new BrokerMessages(this.#required(), this.config, this.parts.outbox);
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
  return new TabgridError('not_found', 'there is no such workflow');
}
