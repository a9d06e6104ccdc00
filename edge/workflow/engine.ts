import {
  retryDelayMs,
  reconnectPolicy,
  TabgridError,
  workflowFolder,
  type CanvasNode,
  type Json,
  type WorkflowId,
} from '#protocol';
import type { FromBroker, NewTask, ToBroker } from '../broker/rpc.ts';
import { loadConfig, type EdgeConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { deleteFolder, readFile } from '../files/access.ts';
import { writeLarge } from '../files/large.ts';
import { Alarms } from '../lib/alarms.ts';
import type { Clock } from '../lib/clock.ts';
import { carryFrom } from '../lib/delivery.ts';
import { log } from '../lib/log.ts';
import { migrate } from '../lib/migrate.ts';
import { Outbox, receive, type Envelope, type ObjectAddress } from '../lib/outbox.ts';
import { SqlOutboxStore } from '../lib/outbox-store.ts';
import { Database } from '../lib/sql.ts';
import { nextWriting } from './core/files.ts';
import { wantsToWiden } from './core/open.ts';
import { planOf } from './core/plan.ts';
import { taskIdOf, wholeRef } from './core/refs.ts';
import { begin, step } from './core/step.ts';
import type { PlannedTask, Sources, Transition, WorkflowCommand, WorkflowEvent } from './core/types.ts';
import { contentOf, fileOf, resultOf, withFiles } from './core/values.ts';
import { BrokerMessages, refusalOf } from './messages.ts';
import { workflowMigrations } from './schema.ts';
import { WorkflowStore, type Stored } from './store.ts';

type AlarmName = 'outbox' | 'chores' | 'widen' | 'retention';

/** A file whose writing was cut off is begun again after so long. */
const choreMs = 10_000;
/** How often arrays get more under way while nothing finishes. */
const widenMs = 1_000;
/** Rows deleted in one transaction. */
const trimCount = 1_000;

interface Parts {
  readonly store: WorkflowStore;
  readonly outboxStore: SqlOutboxStore;
  readonly outbox: Outbox<ToBroker>;
  readonly alarms: Alarms<AlarmName>;
}

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
  /** To be submitted when the commit ends. */
  #tasks: NewTask[] = [];
  #toldMs = -Infinity;
  #chores: Promise<void> | null = null;
  #choreFailures = 0;
  readonly #waiters = new Set<() => void>();

  constructor(context: DurableObjectState, env: Env, clock: Clock) {
    this.#context = context;
    this.#env = env;
    this.#clock = clock;
    this.config = loadConfig(env);
    this.#database = new Database(context.storage);
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
    const alarms = new Alarms<AlarmName>(this.#database, this.#context.storage);
    const outbox = new Outbox<ToBroker>({
      store: outboxStore,
      clock: this.#clock,
      carry: (target, messages) => carryFrom(this.#env, this.#address())(target, messages),
      wakeBy: (dueMs) => {
        alarms.setBy('outbox', dueMs);
        alarms.arm();
      },
    });
    this.#parts = { store: new WorkflowStore(this.#database), outboxStore, outbox, alarms };
    return this.#parts;
  }

  create(
    owner: string,
    workflowId: WorkflowId,
    { canvas, sources, digest }: { canvas: CanvasNode; sources: Sources; digest: string },
  ): Stored {
    const { store } = this.#parts ?? this.#open();
    const moment = this.#moment();
    const plan = planOf(canvas, sources);
    const { state, commands } = begin({ workflowId, labels: plan[0]?.labels ?? [] }, plan, moment);
    this.#toldMs = moment.nowMs;
    const stored = { owner, digest, taskId: taskIdOf(workflowId, wholeRef, moment), core: state };
    this.commit(() => {
      this.#stored = stored;
      store.create(stored);
      this.#messages().announce(moment.nowMs);
      this.#carryOut(commands, '');
    }, null);
    return stored;
  }

  /** Messages from the broker. */
  deliver(sender: ObjectAddress, messages: readonly Envelope[]): number {
    const { outboxStore } = this.parts;
    return this.commit(() => receive(outboxStore, sender, messages, (body) => this.#takeMessage(body)));
  }

  /** Resolves when the workflow is final or the seconds have passed. */
  async wait(seconds: number): Promise<void> {
    if (this.#isFinal() || seconds <= 0) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        cancel();
        this.#waiters.delete(done);
        resolve();
      };
      this.#waiters.add(done);
      const cancel = this.#clock.setTimer(seconds * 1000, done);
    });
  }

  /** The whole canvas’s result; null until there is one. */
  result(): Json {
    return this.#required().core.state === 'SUCCESS' ? this.#valueOf(0) : null;
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
    const message = body as unknown as FromBroker;
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
    }
  }

  /** One event, within a transaction. @param result the JSON that it brings. */
  apply(event: WorkflowEvent, result = ''): void {
    const stored = this.#stored;
    if (stored === null) return;
    const { state, commands }: Transition = step(stored.core, event, this.#moment());
    this.#stored = { ...stored, core: state };
    this.#carryOut(commands, result);
  }

  #carryOut(commands: readonly WorkflowCommand[], result: string): void {
    const nowMs = this.#clock.now();
    const refused: WorkflowEvent[] = [];
    for (const command of commands) {
      switch (command.type) {
        case 'keep':
          this.parts.store.keep(command.node, command.part, result);
          break;
        case 'submit': {
          const refusal = this.#submit(command.task, nowMs);
          if (refusal !== null) refused.push(refusal);
          break;
        }
        case 'revoke':
          this.#sendTasks();
          this.#messages().revoke(command.taskIds, command.terminate);
          break;
        case 'event':
          this.#messages().event(command.event, command.data, nowMs);
          break;
        case 'finish':
          this.#messages().finish(
            command.outcome.type === 'success' ? { type: 'success', result: this.#valueOf(0) } : command.outcome,
          );
      }
    }
    for (const event of refused) this.apply(event);
  }

  /** @returns what becomes of the part where the task does not take its arguments. */
  #submit(task: PlannedTask, nowMs: number): WorkflowEvent | null {
    try {
      this.#tasks.push(this.#messages().prepare(task, this.#inputOf(task), nowMs));
      return null;
    } catch (error) {
      const { code, message } = refusalOf(error);
      return { type: 'refused', ref: task.ref, code, message };
    }
  }

  #inputOf({ node, call }: PlannedTask): Json | undefined {
    const planned = this.#required().core.plan[node];
    if (call.kind === 'range' || planned === undefined) return undefined;
    if (call.kind === 'errback') {
      const { task_id, type, message, path } = call.error;
      return planned.linkError?.immutable === true ? undefined : { task_id, type, message, path };
    }
    const isImmutable = planned.what.kind === 'task' && planned.what.step.immutable === true;
    return call.input === null || isImmutable ? undefined : this.#valueOf(call.input);
  }

  #valueOf(node: number): Json {
    const { store } = this.parts;
    const text = [...resultOf(this.#required().core, node, (id, part) => store.read(id, part))].join('');
    return JSON.parse(text) as Json;
  }

  #sendTasks(): void {
    const tasks = this.#tasks;
    this.#tasks = [];
    if (tasks.length > 0) this.#messages().submit(tasks);
  }

  /** Runs `body` as one transaction, then sends what it has to say and writes what it leaves to write. What throws leaves everything as it was. */
  commit<T>(body: () => T, before = this.#stored?.core ?? null): T {
    const { alarms, outbox, store } = this.parts;
    try {
      const result = this.#database.transaction(() => {
        const value = body();
        this.#sendTasks();
        const after = this.#stored?.core;
        if (after !== undefined && after !== before) {
          this.#tell();
          store.save(before, after);
        }
        this.#setAlarms();
        return value;
      });
      alarms.arm();
      this.#context.waitUntil(outbox.flush());
      this.#context.waitUntil(this.#work());
      if (this.#isFinal()) for (const wake of [...this.#waiters]) wake();
      return result;
    } catch (error) {
      this.#tasks = [];
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
    if (this.#stored === null) return;
    const { core } = this.#stored;
    const { alarms } = this.parts;
    const nowMs = this.#clock.now();
    if (nextWriting(core) !== null) alarms.setBy('chores', nowMs + choreMs);
    if (wantsToWiden(core)) alarms.setBy('widen', nowMs + widenMs);
    if (core.finishedMs !== null) alarms.setBy('retention', core.finishedMs + this.config.resultRetentionMs);
  }

  /** Writes files until none is left to be written, one at a time. */
  #work(): Promise<void> {
    this.#chores ??= this.#writeAll().finally(() => (this.#chores = null));
    return this.#chores;
  }

  async #writeAll(): Promise<void> {
    const { alarms, store } = this.parts;
    for (;;) {
      const stored = this.#stored;
      const next = stored === null ? null : nextWriting(stored.core);
      if (stored === null || next === null) break;
      try {
        const content = contentOf(stored.core, next.node, (id, part) => store.read(id, part));
        const text = withFiles(content, (path) => readFile(this.#env, stored.owner, path));
        await writeLarge(this.#env, stored.owner, next.path, text, 'application/json');
        this.#choreFailures = 0;
        this.commit(() => this.apply({ type: 'written', ...next }));
      } catch (error) {
        log('warn', 'workflow-file-not-written', { path: next.path, error });
        if (error instanceof TabgridError && error.code === 'file_not_found') {
          const { code, message } = error;
          this.commit(() => this.apply({ type: 'unwritable', node: next.node, code, message }));
          continue;
        }
        const delayMs = 50 + retryDelayMs(reconnectPolicy, this.#choreFailures++, this.#clock.random());
        alarms.set('chores', this.#clock.now() + delayMs);
        alarms.arm();
        return;
      }
    }
    alarms.clear('chores');
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
      while (this.#database.transaction(() => store.trim(trimCount)));
    } catch (error) {
      log('warn', 'workflow-not-trimmed', { error });
      alarms.setBy('retention', this.#clock.now() + choreMs);
    }
  }

  #isFinal(): boolean {
    return this.#stored !== null && this.#stored.core.state !== 'STARTED';
  }

  #moment(): { nowMs: number; shards: number } {
    return { nowMs: this.#clock.now(), shards: this.config.shards };
  }

  #address(): ObjectAddress {
    return { object: 'workflow', name: this.#required().core.workflowId };
  }

  #messages(): BrokerMessages {
    const registration = this.#required();
    const { outbox } = this.parts;
    return new BrokerMessages({ core: registration.core, registration, config: this.config, outbox });
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
