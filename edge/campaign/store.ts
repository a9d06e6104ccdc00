import type { Json, TaskId } from '#protocol';
import { clearTables } from '../lib/clear-tables.ts';
import type { Database } from '../lib/sql.ts';
import type { CampaignCore, CampaignHead, Candidate, IterationRecord, Pool } from './core/types.ts';
import type { Registration } from './core/views.ts';

export interface Stored extends Registration {
  readonly core: CampaignCore;
}

/** Designs in one row: a row holds at most 2 MB. */
const designsPerRow = 500;

/** The rows of one campaign. */
export class CampaignStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  load(): Stored | null {
    const row = this.#database.maybe<{ owner: string; task_id: string; head: string }>(
      'SELECT owner, task_id, head FROM campaign',
    );
    if (row === undefined) return null;
    const head = JSON.parse(row.head) as CampaignHead;
    const core: CampaignCore = {
      ...head,
      pool: this.#loadPool(),
      candidates: this.#bodies<Candidate>('SELECT body FROM candidates ORDER BY position'),
      iterations: this.#bodies<IterationRecord>('SELECT body FROM iterations ORDER BY position'),
    };
    return { owner: row.owner, taskId: row.task_id as TaskId, core };
  }

  create({ owner, taskId, core }: Stored): void {
    this.#database.run(
      'INSERT INTO campaign (id, owner, task_id, head) VALUES (1, ?, ?, ?)',
      owner,
      taskId,
      headOf(core),
    );
  }

  /** Writes what is different: lists are compared entry by entry, and an entry that is the same object is the same. */
  save(before: CampaignCore, after: CampaignCore): void {
    if (before === after) return;
    this.#database.run('UPDATE campaign SET head = ? WHERE id = 1', headOf(after));
    if (before.pool !== after.pool && after.pool !== null) this.#savePool(after.pool);
    changed(before.candidates, after.candidates, (position, body) => {
      this.#database.run('INSERT OR REPLACE INTO candidates (position, body) VALUES (?, ?)', position, body);
    });
    changed(before.iterations, after.iterations, (position, body) => {
      this.#database.run('INSERT OR REPLACE INTO iterations (position, body) VALUES (?, ?)', position, body);
    });
  }

  addTasks(tasks: readonly { ref: string; taskId: TaskId }[]): void {
    for (const { ref, taskId } of tasks) {
      this.#database.run('INSERT OR REPLACE INTO tasks (ref, task_id) VALUES (?, ?)', ref, taskId);
    }
  }

  /** Forgets the task that is under way under this name. @returns false when it is another one or none. */
  takeTask(ref: string, taskId: TaskId): boolean {
    return this.#database.run('DELETE FROM tasks WHERE ref = ? AND task_id = ?', ref, taskId) > 0;
  }

  hasTask(ref: string, taskId: TaskId): boolean {
    return (
      this.#database.maybe('SELECT 1 AS found FROM tasks WHERE ref = ? AND task_id = ?', ref, taskId) !== undefined
    );
  }

  /** Forgets everything that is under way. @returns it. */
  takeAllTasks(): TaskId[] {
    const rows = this.#database.all<{ task_id: string }>('DELETE FROM tasks RETURNING task_id');
    return rows.map((row) => row.task_id as TaskId);
  }

  doom(paths: readonly string[]): void {
    for (const path of paths) this.#database.run('INSERT OR IGNORE INTO doomed_files (path) VALUES (?)', path);
  }

  /** A file that is to be deleted. */
  doomed(): string | null {
    return this.#database.maybe<{ path: string }>('SELECT path FROM doomed_files LIMIT 1')?.path ?? null;
  }

  forget(path: string): void {
    this.#database.run('DELETE FROM doomed_files WHERE path = ?', path);
  }

  answered(key: string): { digest: string; answer: Json } | null {
    const row = this.#database.maybe<{ digest: string; answer: string }>(
      'SELECT digest, answer FROM requests WHERE key = ?',
      key,
    );
    return row === undefined ? null : { digest: row.digest, answer: JSON.parse(row.answer) as Json };
  }

  keepAnswer(key: string, digest: string, answer: Json): void {
    this.#database.run(
      'INSERT INTO requests (key, digest, answer) VALUES (?, ?, ?)',
      key,
      digest,
      JSON.stringify(answer),
    );
  }

  /** Deletes all that the campaign was, in batches. */
  clear(): void {
    clearTables(this.#database, [
      ['candidates', 'position'],
      ['iterations', 'position'],
      ['pool', 'start'],
      ['tasks', 'ref'],
      ['doomed_files', 'path'],
      ['requests', 'key'],
      ['campaign', 'id'],
    ]);
  }

  #bodies<T>(query: string): T[] {
    return this.#database.all<{ body: string }>(query).map(({ body }) => JSON.parse(body) as T);
  }

  #loadPool(): Pool | null {
    const chunks = this.#database.all<{ designs: string }>('SELECT designs FROM pool ORDER BY start');
    if (chunks.length === 0) return null;
    const pools = chunks.map(({ designs }) => JSON.parse(designs) as Pool);
    return { rows: pools.flatMap(({ rows }) => rows), inputs: pools.flatMap(({ inputs }) => inputs) };
  }

  #savePool({ rows, inputs }: Pool): void {
    for (let start = 0; start < rows.length; start += designsPerRow) {
      const end = start + designsPerRow;
      const designs = JSON.stringify({ rows: rows.slice(start, end), inputs: inputs.slice(start, end) });
      this.#database.run('INSERT OR REPLACE INTO pool (start, designs) VALUES (?, ?)', start, designs);
    }
  }
}

/** Everything but the lists, as JSON. */
function headOf(core: CampaignCore): string {
  return JSON.stringify({ ...core, pool: undefined, candidates: undefined, iterations: undefined });
}

function changed<T>(before: readonly T[], after: readonly T[], write: (position: number, body: string) => void): void {
  after.forEach((entry, position) => {
    if (entry !== before[position]) write(position, JSON.stringify(entry));
  });
}
