import { TabgridError, workflowFolder, type CanvasNode, type Json, type TaskParent, type WorkflowId } from '#protocol';
import type { FromBroker } from '../broker/rpc.ts';
import { loadConfig, type EdgeConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { Holder } from '../holder/holder.ts';
import type { Clock } from '../lib/clock.ts';
import type { Envelope, ObjectAddress } from '../lib/outbox.ts';
import { acceptingShards } from '../lib/shards.ts';
import { isLasting, nextChore, readSources, writeResult, type Chore } from './chores.ts';
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

/** How often arrays get more under way while nothing finishes. */
const widenMs = 1_000;

/** A workflow’s beginning; `parent` is what started it where no request did. */
type Origin = Omit<Creation, 'canvas' | 'parent'> & { readonly parent: TaskParent | null };

/** What moves a workflow: each event is one transaction, and the messages and files that it leads to follow the commit. */
export class Engine {
  readonly config: EdgeConfig;
  readonly #context: DurableObjectState;
  readonly #env: Env;
  readonly #clock: Clock;
  readonly holder: Holder<Stored, WorkflowStore, Chore, 'widen'>;
  readonly #commands: Commands;
  readonly #waiters: Waiters;
  #toldMs = -Infinity;

  constructor(context: DurableObjectState, env: Env, clock: Clock) {
    this.#context = context;
    this.#env = env;
    this.#clock = clock;
    this.config = loadConfig(env);
    this.#waiters = new Waiters(clock);
    this.holder = new Holder({
      context,
      env,
      clock,
      migrations: workflowMigrations,
      openStore: (database) => new WorkflowStore(database),
      addressOf: ({ core }) => workflowAddress(core.workflowId),
      folderOf: ({ core }) => workflowFolder(core.workflowId),
      retentionMs: this.config.resultRetentionMs,
      nextChore: () => nextChore(this.stored, this.stored === null ? this.#store.creation() : null),
      doChore: (chore) => this.#doChore(chore),
      missing,
    });
    this.#commands = new Commands(
      () => this.#store,
      (stored) => this.#messagesOf(stored),
    );
  }

  /** The workflow as it stands; null when there is none. */
  get stored(): Stored | null {
    return this.holder.stored;
  }

  /** Starts a workflow whose canvas has been checked. @param digest of the canvas, by which a repeat is known. */
  create(owner: string, workflowId: WorkflowId, canvas: CanvasNode, sources: Sources, digest: string): Stored {
    this.holder.open();
    const taskId = taskIdOf(workflowId, wholeRef, this.#moment(owner));
    const origin = { owner, workflow_id: workflowId, task_id: taskId, parent: null };
    return this.commit(() => this.#start(origin, canvas, sources, digest), null);
  }

  /** Messages from the broker, and from the beat, which may be the first that is heard. */
  deliver(sender: ObjectAddress, messages: readonly Envelope[]): number {
    if (sender.object === 'beat') this.holder.open();
    return this.commit(() => this.holder.receive(sender, messages, (body) => this.#takeMessage(body)));
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
    this.holder.stored = stored;
    this.#toldMs = state.createdMs;
    this.#messagesOf(stored).announce(state.createdMs, parent);
    this.#carryOut(commands);
    return this.holder.required;
  }

  /** Resolves when the workflow is final or the seconds have passed. */
  async wait(seconds: number): Promise<void> {
    if (!this.#isFinal() && seconds > 0) await this.#waiters.wait(seconds * 1000);
  }

  /** The whole canvas’s result; null until there is one. */
  result(): Json {
    const { core } = this.holder.required;
    return core.state === 'SUCCESS' ? this.#commands.valueOf(core, 0) : null;
  }

  async alarm(): Promise<void> {
    await this.holder.alarm((due) => {
      if (due.includes('widen')) this.commit(() => this.apply({ type: 'widen' }));
    });
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
        if (message.task_id === this.stored?.taskId) {
          this.apply({ type: 'revoke', terminate: message.terminate, byTask: true });
        }
        return;
      case 'create':
        this.#takeCreation(message);
    }
  }

  #takeCreation(creation: Creation): void {
    if (this.stored !== null || this.#store.creation() !== null) return;
    try {
      const files = checkCanvas(creation.canvas);
      if (files.size === 0) this.#start(creation, creation.canvas, {});
      else this.#store.setCreation(creation);
    } catch (error) {
      this.#refuse(creation, refusalOf(error));
    }
  }

  /** One event, within a transaction. @param result the JSON that it brings. */
  apply(event: WorkflowEvent, result = ''): void {
    const { stored } = this;
    if (stored === null) return;
    const { state, commands } = this.#step(stored, event);
    this.holder.stored = { ...stored, core: state };
    this.#carryOut(commands, result);
  }

  #step({ core, owner }: Stored, event: WorkflowEvent): Transition {
    try {
      return step(core, event, this.#moment(owner));
    } catch (error) {
      const { code, message } = refusalOf(error);
      return step(core, { type: 'broken', code, message }, this.#moment(owner));
    }
  }

  #carryOut(commands: readonly WorkflowCommand[], result = ''): void {
    const refused = this.#commands.carryOut(this.holder.required, commands, { result, nowMs: this.#clock.now() });
    for (const event of refused) this.apply(event);
  }

  /** Runs `body` as one transaction, then sends what it has to say and writes what it leaves to write. What throws leaves everything as it was. */
  commit<T>(body: () => T, before = this.stored?.core ?? null): T {
    try {
      const result = this.holder.commit(() => {
        const value = body();
        if (this.stored !== null && this.stored.core !== before) this.#save(before, this.stored);
        return value;
      });
      if (this.#isFinal()) this.#waiters.wake();
      return result;
    } catch (error) {
      this.#commands.forget();
      throw error;
    }
  }

  #save(before: WorkflowCore | null, after: Stored): void {
    this.#commands.send(after);
    this.#tell(after);
    if (before === null) this.#store.create(after);
    else this.#store.save(before, after.core);
    if (wantsToWiden(after.core)) this.holder.parts.alarms.setBy('widen', this.#clock.now() + widenMs);
  }

  /** Progress as often as the deployment says. */
  #tell(stored: Stored): void {
    const nowMs = this.#clock.now();
    if (nowMs < this.#toldMs + this.config.progressIntervalMs || this.#isFinal()) return;
    this.#toldMs = nowMs;
    this.#messagesOf(stored).progress(nowMs);
  }

  async #doChore(chore: Chore): Promise<void> {
    const store = this.#store;
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

  #isFinal(): boolean {
    return this.stored !== null && this.stored.core.state !== 'STARTED';
  }

  #moment(owner: string): Moment {
    return { nowMs: this.#clock.now(), shards: acceptingShards(this.config), owner };
  }

  #messagesOf(stored: Stored): BrokerMessages {
    return new BrokerMessages(stored, this.config, this.holder.parts.outbox);
  }

  get #store(): WorkflowStore {
    return this.holder.parts.store;
  }
}

export function missing(): TabgridError {
  return new TabgridError('not_found', 'there is no such workflow');
}
