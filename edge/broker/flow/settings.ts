import { parseRate, type QueuePatch, type QueueSettings, type TaskTypePatch, type TaskTypeSettings } from '#protocol';
import type { Database } from '../../lib/sql.ts';
import { Pacer } from './pacer.ts';

/** What settings are for. */
export type FlowScope = 'queue' | 'task';

interface Entry {
  settings: Partial<QueueSettings & TaskTypeSettings>;
  pacer: Pacer | null;
}

/** What is set for one queue or task type, on its way from one shard to another. */
export interface FlowRow {
  scope: FlowScope;
  name: string;
  settings: Entry['settings'];
}

type Row = { scope: FlowScope; name: string; settings: string; due_ms: number };

/**
 * What is set for queues and task types at run time, in memory and as rows, with the state of their rates. All shards have the same; one that
 * is added copies it from the first, and gives nothing out before.
 */
export class FlowSettings {
  readonly #database: Database;
  readonly #entries: Record<FlowScope, Map<string, Entry>> = { queue: new Map(), task: new Map() };
  readonly #dirty = new Set<string>();
  #isCopied = false;

  constructor(database: Database) {
    this.#database = database;
    this.reload();
  }

  reload(): void {
    this.#entries.queue.clear();
    this.#entries.task.clear();
    this.#dirty.clear();
    this.#isCopied = this.#database.maybe(`SELECT value FROM meta WHERE name = 'flow_copied'`) !== undefined;
    for (const row of this.#database.all<Row>('SELECT scope, name, settings, due_ms FROM flow')) {
      const settings = JSON.parse(row.settings) as Entry['settings'];
      this.#entries[row.scope].set(row.name, { settings, pacer: pacerOf(settings, row.due_ms) });
    }
  }

  queue(name: string): QueueSettings {
    const settings = this.#entries.queue.get(name)?.settings;
    return {
      paused: settings?.paused ?? false,
      rate_limit: settings?.rate_limit ?? null,
      max_length: settings?.max_length ?? null,
    };
  }

  taskType(name: string): TaskTypeSettings {
    const settings = this.#entries.task.get(name)?.settings;
    return {
      rate_limit: settings?.rate_limit ?? null,
      soft_time_limit: settings?.soft_time_limit ?? null,
      time_limit: settings?.time_limit ?? null,
    };
  }

  /** Queues for which something is set. */
  queueNames(): Iterable<string> {
    return this.#entries.queue.keys();
  }

  /** By name, what is set for task types. */
  taskTypes(): Record<string, TaskTypeSettings> {
    return Object.fromEntries([...this.#entries.task.keys()].map((name) => [name, this.taskType(name)]));
  }

  /** False while the shard has yet to copy what others have. */
  isComplete(shard: number, shards: number): boolean {
    return shards === 1 || shard === 0 || this.#isCopied;
  }

  /** For a shard that is added. */
  rows(): FlowRow[] {
    return (['queue', 'task'] as const).flatMap((scope) =>
      [...this.#entries[scope]].map(([name, { settings }]) => ({ scope, name, settings })),
    );
  }

  /** Takes over what another shard has, except what was set here meanwhile. A rate begins a window later, in which its former home may have used it up. */
  copy(rows: readonly FlowRow[], nowMs: number): void {
    for (const { scope, name, settings } of rows) {
      if (this.#entries[scope].has(name)) continue;
      const rate = settings.rate_limit ?? null;
      const dueMs = rate === null ? 0 : nowMs + parseRate(rate).windowMs;
      this.#entries[scope].set(name, { settings, pacer: pacerOf(settings, dueMs) });
      this.#write(scope, name);
    }
    this.#database.run(`INSERT OR REPLACE INTO meta (name, value) VALUES ('flow_copied', '1')`);
    this.#isCopied = true;
  }

  /** Null where no rate is set. */
  pacer(scope: FlowScope, name: string): Pacer | null {
    return this.#entries[scope].get(name)?.pacer ?? null;
  }

  /** Changes what the patch names. A new rate begins where the old one was, so that setting it again gives nothing away. */
  patch(scope: FlowScope, name: string, patch: QueuePatch | TaskTypePatch): void {
    const present = this.#entries[scope].get(name);
    const given = Object.entries(patch).filter(([, value]) => value !== undefined);
    const settings = { ...present?.settings, ...(Object.fromEntries(given) as Entry['settings']) };
    this.#entries[scope].set(name, { settings, pacer: pacerOf(settings, present?.pacer?.dueMs ?? 0) });
    this.#write(scope, name);
  }

  /** The pacer of these has moved on; it is written by `flush`. */
  moved(scope: FlowScope, name: string): void {
    this.#dirty.add(`${scope} ${name}`);
  }

  /** Within the commit whose tasks have begun, so that no restart lets more begin. */
  flush(): void {
    for (const key of this.#dirty) {
      const space = key.indexOf(' ');
      this.#write(key.slice(0, space) as FlowScope, key.slice(space + 1));
    }
    this.#dirty.clear();
  }

  #write(scope: FlowScope, name: string): void {
    const entry = this.#entries[scope].get(name);
    if (entry === undefined) return;
    this.#database.run(
      'INSERT OR REPLACE INTO flow (scope, name, settings, due_ms) VALUES (?, ?, ?, ?)',
      scope,
      name,
      JSON.stringify(entry.settings),
      entry.pacer?.dueMs ?? 0,
    );
  }
}

function pacerOf({ rate_limit: rate }: Entry['settings'], dueMs: number): Pacer | null {
  return rate === undefined || rate === null ? null : new Pacer(parseRate(rate), dueMs);
}
