import type { Database } from './sql.ts';

/** One step of a schema. A list of them only ever grows at its end: what was released is never edited. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly id: number;
  readonly sql: string;
}

/**
 * Brings a database to the newest schema, in one transaction: if a step fails, the database is as it was, and the version of the code that
 * wrote it can go on with it. Call it first thing in an object’s constructor: SQLite answers synchronously, so that no event can come between,
 * and what throws here fails the request that woke the object, not the next one.
 *
 * @throws Error for a database that a newer version of the code has written.
 */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  const stray = migrations.find(({ id }, index) => id !== index + 1);
  if (stray !== undefined) throw new Error(`migration ${stray.id} is out of order`);
  database.run('CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY) WITHOUT ROWID');
  const { applied } = database.one<{ applied: number }>('SELECT coalesce(max(id), 0) AS applied FROM migrations');
  if (applied > migrations.length) {
    throw new Error(
      `a newer version has written this database: its schema is ${applied}, and this version knows ${migrations.length}; deploy the newer one`,
    );
  }
  if (applied === migrations.length) return;
  database.transaction(() => {
    for (const { id, sql } of migrations.slice(applied)) {
      database.run(sql);
      database.run('INSERT INTO migrations (id) VALUES (?)', id);
    }
  });
}
