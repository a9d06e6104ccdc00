import { alarmsTable } from '../lib/alarms.ts';
import type { Migration } from '../lib/migrate.ts';
import { outboxTables } from '../lib/outbox-store.ts';

/**
 * The tables of one workflow. An array of a million items is one row of `plan` and one of `nodes`; each of its ranges that has finished is a row of
 * `results`. A node that still waits has no row in `nodes`.
 */
export const workflowMigrations: readonly Migration[] = [
  {
    id: 1,
    sql: `
      CREATE TABLE workflow (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        owner TEXT NOT NULL,
        task_id TEXT NOT NULL,
        digest TEXT NOT NULL,
        head TEXT NOT NULL
      );
      CREATE TABLE plan (node INTEGER PRIMARY KEY, body TEXT NOT NULL);
      CREATE TABLE nodes (node INTEGER PRIMARY KEY, body TEXT NOT NULL);
      -- key: the node times 2^24, plus the part.
      CREATE TABLE results (key INTEGER PRIMARY KEY, body TEXT NOT NULL);
      ${outboxTables}
      ${alarmsTable}
    `,
  },
  {
    id: 2,
    sql: `
      -- What a schedule has asked for while the files that it names are being read.
      CREATE TABLE creation (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL);
    `,
  },
];
