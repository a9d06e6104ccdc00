import { isoTime } from '#protocol';
import type { Migration } from '../lib/migrate.ts';
import type { Database } from '../lib/sql.ts';
import type { Sample } from './rpc.ts';

export const monitorMigrations: readonly Migration[] = [
  { id: 1, sql: 'CREATE TABLE samples (minute INTEGER PRIMARY KEY, sample TEXT NOT NULL);' },
];

const minuteMs = 60_000;

/** The grid’s past. Workers need no memory here: each shard knows those that left. */
export class MonitorStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds a sample, unless its minute has one, and forgets those before `cutoffMs`. */
  addSample(sample: Sample, cutoffMs: number): void {
    const written = this.#database.run(
      'INSERT OR IGNORE INTO samples (minute, sample) VALUES (?, ?)',
      Math.floor(Date.parse(sample.time) / minuteMs),
      JSON.stringify(sample),
    );
    if (written > 0) this.#database.run('DELETE FROM samples WHERE minute < ?', Math.floor(cutoffMs / minuteMs));
  }

  /** Oldest first, at most a week’s. */
  samples(sinceMs: number): Sample[] {
    return this.#database
      .all<{ sample: string }>(
        'SELECT sample FROM samples WHERE minute >= ? ORDER BY minute LIMIT 10080',
        Math.floor(sinceMs / minuteMs),
      )
      .map(({ sample }) => JSON.parse(sample) as Sample)
      .filter((sample) => sample.time >= isoTime(sinceMs));
  }
}
