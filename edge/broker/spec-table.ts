import type { Database } from '../lib/sql.ts';
import type { TaskSpec } from './task-record.ts';

/** Texts that are kept once. Deployments have few; a client that makes many of them gets no more than this. */
const maxSpecs = 1_000;

/**
 * Specs of tasks, of which most are alike: the table `specs` has each of those once, a task’s row only its number. What belongs to one
 * task alone (its parent, its ETA) makes a spec that is kept with its task.
 */
export class SpecTable {
  readonly #database: Database;
  readonly #numbers = new Map<string, string>();
  readonly #specs = new Map<string, TaskSpec>();

  constructor(database: Database) {
    this.#database = database;
    this.reload();
  }

  /** Forgets what memory has and reads the table: after a commit that was rolled back. */
  reload(): void {
    this.#numbers.clear();
    this.#specs.clear();
    for (const { id, text } of this.#database.all<{ id: number; text: string }>('SELECT id, text FROM specs')) {
      this.#know(String(id), text);
    }
  }

  /** What a task’s row has as its spec: the number of one of the table, or the text. */
  store(spec: TaskSpec): string {
    const text = JSON.stringify(spec);
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (isOfOneTask(spec) || this.#numbers.size >= maxSpecs) return text;
    const id = String(this.#numbers.size + 1);
    this.#database.run('INSERT INTO specs (id, text) VALUES (?, ?)', Number(id), text);
    this.#know(id, text);
    return id;
  }

  /** The spec that `store` made this of; not to be changed. */
  load(stored: string): TaskSpec {
    if (stored.startsWith('{')) return JSON.parse(stored) as TaskSpec;
    const spec = this.#specs.get(stored);
    if (spec === undefined) throw new Error(`there is no spec ${stored}`);
    return spec;
  }

  #know(id: string, text: string): void {
    this.#numbers.set(text, id);
    this.#specs.set(id, JSON.parse(text) as TaskSpec);
  }
}

function isOfOneTask({ eta_ms: etaMs, parent, retry_of: retryOf, notify, ref }: TaskSpec): boolean {
  return etaMs !== null || parent !== null || retryOf !== null || notify !== undefined || ref !== undefined;
}
