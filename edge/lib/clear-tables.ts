import type { Database } from './sql.ts';

/** Rows deleted in one transaction. */
const batchCount = 1_000;

/** Deletes all rows of these tables, one table after the other, in batches, each of them a transaction. @param tables each with its key */
export function clearTables(database: Database, tables: readonly (readonly [table: string, key: string])[]): void {
  for (const [table, key] of tables) {
    const some = `SELECT ${key} FROM ${table} LIMIT ${batchCount}`;
    while (database.transaction(() => database.run(`DELETE FROM ${table} WHERE ${key} IN (${some})`)) > 0);
  }
}
