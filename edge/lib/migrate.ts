import type { Database } from './sql.ts';

/** One step of a schema. A list of them only ever grows at its end: what was released is never edited. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly id: number;
  readonly sql: string;
}

/**
 * Brings a database to the newest schema; each step is applied once. Call it first thing in an object’s constructor: SQLite answers
 * synchronously, so that no event can come between, and what throws here fails the request that woke the object, not the next one.
 */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  database.run('CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY) WITHOUT ROWID');
  const { applied } = database.one<{ applied: number }>('SELECT coalesce(max(id), 0) AS applied FROM migrations');
  migrations.forEach(({ id, sql }, index) => {
    if (id !== index + 1) throw new Error(`migration ${id} is out of order`);
    if (id <= applied) return;
    database.transaction(() => {
      database.run(sql);
      database.run('INSERT INTO migrations (id) VALUES (?)', id);
    });
  });
}
