import { alarmsTable } from '../lib/alarms.ts';
import type { Migration } from '../lib/migrate.ts';
import { outboxTables } from '../lib/outbox-store.ts';

/**
 * A task is one row for its whole life, and a second one in `tasks_ready` if it has to wait. A claim writes neither: see
 * `lease-rows.ts`. So a task costs one or two rows written when it comes, one when it ends, one when it is deleted, and shares of the rows of
 * events.
 */
export const brokerMigrations: readonly Migration[] = [
  {
    id: 1,
    sql: `
      CREATE TABLE lanes (
        id INTEGER PRIMARY KEY,
        queue TEXT NOT NULL,
        needs TEXT NOT NULL,
        edge INTEGER NOT NULL
      );

      CREATE TABLE tasks (
        id TEXT PRIMARY KEY,
        lane INTEGER NOT NULL,
        priority INTEGER NOT NULL,
        -- RECEIVED and STARTED are PENDING and RETRY with a lease; only a held task is stored as STARTED.
        state TEXT NOT NULL CHECK (state IN ('PENDING', 'RETRY', 'STARTED', 'SUCCESS', 'FAILURE', 'REVOKED')),
        -- Attempts that have ended: a lease’s attempt is one more.
        attempt INTEGER NOT NULL,
        retries INTEGER NOT NULL,
        losses INTEGER NOT NULL,
        revoking INTEGER NOT NULL,
        -- In the stored queue. A task stays there while it is out on lease; one that was given out at once never came into it.
        queued INTEGER NOT NULL,
        -- Not to be given out before: ETA or back-off.
        due_ms INTEGER,
        expires_ms INTEGER,
        started_ms INTEGER,
        finished_ms INTEGER,
        owner TEXT NOT NULL,
        task TEXT NOT NULL,
        worker TEXT,
        labels TEXT NOT NULL,
        spec TEXT NOT NULL,
        -- Empty when it is long and therefore in payloads.
        arguments TEXT NOT NULL,
        outcome TEXT,
        history TEXT NOT NULL,
        progress TEXT,
        CHECK ((finished_ms IS NULL) = (state IN ('PENDING', 'RETRY', 'STARTED'))),
        CHECK (queued = 0 OR (due_ms IS NULL AND state IN ('PENDING', 'RETRY')))
      ) WITHOUT ROWID;
      CREATE INDEX tasks_ready ON tasks (lane, priority DESC, id) WHERE queued = 1;
      CREATE INDEX tasks_due ON tasks (due_ms) WHERE due_ms IS NOT NULL;
      CREATE INDEX tasks_expiring ON tasks (expires_ms) WHERE expires_ms IS NOT NULL AND state = 'PENDING';

      CREATE TABLE payloads (
        task_id TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('arguments', 'outcome', 'snapshot')),
        data TEXT NOT NULL,
        PRIMARY KEY (task_id, kind)
      ) WITHOUT ROWID;

      CREATE TABLE workers (
        worker_id TEXT PRIMARY KEY,
        sub TEXT NOT NULL,
        profile TEXT NOT NULL,
        online INTEGER NOT NULL,
        connected_ms INTEGER NOT NULL,
        seen_ms INTEGER NOT NULL,
        succeeded INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0,
        busy_ms INTEGER NOT NULL DEFAULT 0
      ) WITHOUT ROWID;

      CREATE TABLE leases (worker_id TEXT PRIMARY KEY, held TEXT NOT NULL) WITHOUT ROWID;

      CREATE TABLE idempotency (
        owner TEXT NOT NULL,
        key TEXT NOT NULL,
        digest TEXT NOT NULL,
        answer TEXT NOT NULL,
        -- Forgotten together with this task.
        task_id TEXT NOT NULL,
        PRIMARY KEY (owner, key)
      ) WITHOUT ROWID;
      CREATE INDEX idempotency_task ON idempotency (task_id);

      CREATE TABLE events (
        first_seq INTEGER PRIMARY KEY,
        count INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        items TEXT NOT NULL
      );

      CREATE TABLE tallies (
        task TEXT NOT NULL,
        state TEXT NOT NULL,
        count INTEGER NOT NULL,
        runtime_ms INTEGER NOT NULL,
        PRIMARY KEY (task, state)
      ) WITHOUT ROWID;

      CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      ${alarmsTable}
      ${outboxTables}
    `,
  },
  {
    // Counts are one row now, with more to tell.
    id: 2,
    sql: `
      INSERT INTO meta (name, value)
        SELECT 'tallies', json_object('events', json_group_array(json_object(
          'type', CASE state WHEN 'SUCCESS' THEN 'task-succeeded' WHEN 'FAILURE' THEN 'task-failed' ELSE 'task-revoked' END,
          'task', task, 'queue', '', 'count', count))) FROM tallies;
      DROP TABLE tallies;
    `,
  },
  {
    // A task’s spec is its text, or the number of one of these; its history is empty where the other columns tell it.
    id: 3,
    sql: `
      CREATE TABLE specs (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    `,
  },
  {
    // Grants are told by the log, from here on.
    id: 4,
    sql: `
      INSERT INTO meta (name, value) SELECT 'leases_seq', coalesce(max(first_seq + count - 1), 0) FROM events;
    `,
  },
  {
    // What a submission was answered under an idempotency key lies with the task that it made; only long answers are in idempotency.
    id: 5,
    sql: `
      ALTER TABLE tasks ADD COLUMN answer_key TEXT;
      ALTER TABLE tasks ADD COLUMN answer TEXT;
      CREATE INDEX tasks_answered ON tasks (owner, answer_key) WHERE answer_key IS NOT NULL;
    `,
  },
  {
    // A lane has one owner, save those that were there before; and what is set for queues and task types at run time.
    id: 6,
    sql: `
      ALTER TABLE lanes ADD COLUMN owner TEXT NOT NULL DEFAULT '';
      ALTER TABLE lanes ADD COLUMN concurrency_key TEXT;
      ALTER TABLE lanes ADD COLUMN concurrency_limit INTEGER;
      CREATE TABLE flow (
        scope TEXT NOT NULL CHECK (scope IN ('queue', 'task')),
        name TEXT NOT NULL,
        settings TEXT NOT NULL,
        due_ms REAL NOT NULL,
        PRIMARY KEY (scope, name)
      ) WITHOUT ROWID;
    `,
  },
  {
    // From here on events stand by their differences, and usual answers without their text: an older version must not read them.
    id: 7,
    sql: 'SELECT 1',
  },
];
