import { alarmsTable } from '../lib/alarms.ts';
import type { Migration } from '../lib/migrate.ts';
import { outboxTables } from '../lib/outbox-store.ts';

/** The tables of the beat. `next_ms` is null where nothing comes: paused, over, or broken. */
export const beatMigrations: readonly Migration[] = [
  {
    id: 1,
    sql: `
      CREATE TABLE schedules (
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        id TEXT NOT NULL,
        spec TEXT NOT NULL,
        anchor_ms INTEGER NOT NULL,
        next_ms INTEGER,
        last_run_ms INTEGER,
        total_runs INTEGER NOT NULL DEFAULT 0,
        last_task_id TEXT,
        last_error TEXT,
        created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL,
        PRIMARY KEY (owner, name)
      ) WITHOUT ROWID;
      CREATE INDEX schedules_next ON schedules (next_ms) WHERE next_ms IS NOT NULL;
      CREATE TABLE requests (
        owner TEXT NOT NULL,
        key TEXT NOT NULL,
        digest TEXT NOT NULL,
        answer TEXT NOT NULL,
        made_ms INTEGER NOT NULL,
        PRIMARY KEY (owner, key)
      ) WITHOUT ROWID;
      CREATE INDEX requests_made ON requests (made_ms);
      ${outboxTables}
      ${alarmsTable}
    `,
  },
];
