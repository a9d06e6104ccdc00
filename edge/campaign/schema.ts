import { alarmsTable } from '../lib/alarms.ts';
import type { Migration } from '../lib/migrate.ts';
import { outboxTables } from '../lib/outbox-store.ts';

/** The tables of one campaign. What grows has a row for each entry, written when it changes. */
export const migrations: readonly Migration[] = [
  {
    id: 1,
    sql: `
      CREATE TABLE campaign (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        owner TEXT NOT NULL,
        task_id TEXT NOT NULL,
        head TEXT NOT NULL
      );
      CREATE TABLE pool (start INTEGER PRIMARY KEY, designs TEXT NOT NULL);
      CREATE TABLE candidates (position INTEGER PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE iterations (position INTEGER PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE tasks (ref TEXT PRIMARY KEY, task_id TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE doomed_files (path TEXT PRIMARY KEY) WITHOUT ROWID;
      CREATE TABLE requests (key TEXT PRIMARY KEY, digest TEXT NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID;
      ${outboxTables}
      ${alarmsTable}
    `,
  },
];
