import type { Json, TabgridError } from '#protocol';
import type { ToBroker } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { deleteFolder } from '../files/access.ts';
import { Alarms } from '../lib/alarms.ts';
import type { Clock } from '../lib/clock.ts';
import { carryFrom } from '../lib/delivery.ts';
import { log } from '../lib/log.ts';
import { migrate, type Migration } from '../lib/migrate.ts';
import { Outbox, receive, type Envelope, type ObjectAddress } from '../lib/outbox.ts';
import { SqlOutboxStore } from '../lib/outbox-store.ts';
import { Database } from '../lib/sql.ts';
import { Chores } from './chores.ts';

/** What was cut off, a chore or the deletion of what is over, is begun again after so long. */
const resumeMs = 10_000;

/** What a workflow or campaign is, as its tables say. */
export interface Held {
  readonly owner: string;
  readonly core: { readonly finishedMs: number | null };
}

export interface HeldStore<Stored> {
  load(): Stored | null;
  /** Deletes all of it. */
  clear(): void;
}

interface Parts<Store, Alarm extends string> {
  readonly store: Store;
  readonly outboxStore: SqlOutboxStore;
  readonly outbox: Outbox<ToBroker>;
  readonly alarms: Alarms<Alarm | 'outbox' | 'chores' | 'retention'>;
}

export interface HolderOptions<Stored, Store, Chore> {
  readonly context: DurableObjectState;
  readonly env: Env;
  readonly clock: Clock;
  readonly migrations: readonly Migration[];
  readonly openStore: (database: Database) => Store;
  readonly addressOf: (stored: Stored) => ObjectAddress;
  /** Files of the owner below this path are deleted with it. */
  readonly folderOf: (stored: Stored) => string;
  /** How long it is kept once it is over. */
  readonly retentionMs: number;
  /** What is to be done outside of transactions, as it follows from the tables. */
  readonly nextChore: () => Chore | null;
  readonly doChore: (chore: Chore) => Promise<void>;
  readonly missing: () => TabgridError;
}

/**
 * What an object that holds a task is around its core, a workflow’s or a campaign’s: its tables, which are there once it is created; transactions, and what
 * follows a commit, messages and chores; an end, and when it is forgotten. Memory holds what the tables say, and nothing else that matters.
 */
export class Holder<Stored extends Held, Store extends HeldStore<Stored>, Chore, Alarm extends string = never> {
  /** What the tables say. */
  stored: Stored | null = null;
  readonly #options: HolderOptions<Stored, Store, Chore>;
  readonly #database: Database;
  readonly #chores: Chores<Chore>;
  /** Null until it is created: asking for one that does not exist leaves nothing behind. */
  #parts: Parts<Store, Alarm> | null = null;

  constructor(options: HolderOptions<Stored, Store, Chore>) {
    this.#options = options;
    this.#database = new Database(options.context.storage);
    this.#chores = new Chores(options.clock, options.nextChore, options.doChore);
    const table = this.#database.maybe(`SELECT 1 AS found FROM sqlite_master WHERE name = 'migrations'`);
    if (table === undefined) return;
    const { store, alarms } = this.open();
    this.stored = store.load();
    // One that ended when there was no retention yet is kept for a whole one.
    const isOver = this.stored !== null && this.stored.core.finishedMs !== null;
    if (isOver && alarms.dueMs('retention') === undefined) {
      alarms.set('retention', options.clock.now() + options.retentionMs);
    }
    alarms.verify();
  }

  /** Rows written since the object was last built. */
  get rowsWritten(): number {
    return this.#database.rowsWritten;
  }

  /** @throws TabgridError `not_found` */
  get parts(): Parts<Store, Alarm> {
    if (this.#parts === null) throw this.#options.missing();
    return this.#parts;
  }

  /** @throws TabgridError `not_found` */
  get required(): Stored {
    if (this.stored === null) throw this.#options.missing();
    return this.stored;
  }

  /** The tables, made where there are none. */
  open(): Parts<Store, Alarm> {
    if (this.#parts !== null) return this.#parts;
    const { context, env, clock, migrations, openStore, addressOf } = this.#options;
    migrate(this.#database, migrations);
    const outboxStore = new SqlOutboxStore(this.#database);
    const alarms: Parts<Store, Alarm>['alarms'] = new Alarms(this.#database, context.storage, clock);
    const outbox = new Outbox<ToBroker>({
      store: outboxStore,
      clock,
      carry: (target, messages) => carryFrom(env, addressOf(this.required))(target, messages),
      wakeBy: (dueMs) => alarms.setBy('outbox', dueMs),
      arm: () => alarms.arm(),
    });
    this.#parts = { store: openStore(this.#database), outboxStore, outbox, alarms };
    return this.#parts;
  }

  /** Applies what is next of this sender. Call it inside `commit`. @returns the number applied last. */
  receive(sender: ObjectAddress, messages: readonly Envelope[], apply: (body: Json) => void): number {
    return receive(this.parts.outboxStore, sender, messages, apply);
  }

  /** Runs `body` as one transaction, then sends what it has to say and does what it leaves to do. What throws leaves everything as it was. */
  commit<T>(body: () => T): T {
    const { alarms, outbox, store } = this.parts;
    try {
      const result = this.#database.transaction(() => {
        const value = body();
        this.#setAlarms();
        return value;
      });
      alarms.arm();
      this.#options.context.waitUntil(outbox.flush());
      this.#options.context.waitUntil(this.#work());
      return result;
    } catch (error) {
      this.stored = store.load();
      alarms.reload();
      throw error;
    }
  }

  /** @param onDue what to do for the alarms that only this kind of object has. */
  async alarm(onDue: (due: readonly string[]) => void = () => undefined): Promise<void> {
    if (this.#parts === null) return;
    const { alarms, outbox } = this.#parts;
    alarms.fired();
    const due: readonly string[] = alarms.take(this.#options.clock.now());
    onDue(due);
    // An object that dies from here on comes back.
    this.#setAlarms();
    await Promise.all([outbox.flush(), this.#work(), ...(due.includes('retention') ? [this.#forget()] : [])]);
    // What has not got through has set its due time anew.
    alarms.arm();
  }

  #setAlarms(): void {
    const { alarms } = this.parts;
    const soonMs = this.#options.clock.now() + resumeMs;
    if (this.#options.nextChore() !== null) alarms.setBy('chores', soonMs);
    const finishedMs = this.stored?.core.finishedMs ?? null;
    // What is set stays: of one that ended when there was no retention yet it is later than its end tells.
    if (finishedMs !== null && alarms.dueMs('retention') === undefined) {
      alarms.set('retention', Math.max(finishedMs + this.#options.retentionMs, soonMs));
    }
  }

  async #work(): Promise<void> {
    const { alarms } = this.parts;
    const againMs = await this.#chores.work();
    if (againMs !== null) alarms.set('chores', againMs);
    else if (this.#options.nextChore() === null) alarms.clear('chores');
    alarms.arm();
  }

  /** Forgets what has been over for long enough, and its files. Where that cannot be done now, the alarm comes back. */
  async #forget(): Promise<void> {
    const { stored } = this;
    const { alarms, outboxStore, store } = this.parts;
    if (stored?.core.finishedMs == null) return;
    try {
      // What has not been said yet needs the name that it is said under.
      if (outboxStore.targets().length > 0) throw new Error('messages wait in the outbox');
      await deleteFolder(this.#options.env, stored.owner, this.#options.folderOf(stored));
      this.stored = null;
      store.clear();
      alarms.clear('retention');
    } catch (error) {
      log('warn', 'not-forgotten', { ...this.#options.addressOf(stored), error });
    }
  }
}
