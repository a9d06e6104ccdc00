import { migrate, type Migration } from '../../../edge/lib/migrate.ts';
import { Database } from '../../../edge/lib/sql.ts';

/** Rows by table, as some version of the code wrote them. */
export type StoredTables = Record<string, readonly Record<string, SqlStorageValue>[]>;

/** Makes an object’s storage what an earlier version left: its schema, and its rows. */
export async function store(
  state: DurableObjectState,
  migrations: readonly Migration[],
  tables: StoredTables,
): Promise<Database> {
  await dropAlarm(state);
  await state.storage.deleteAll();
  const database = new Database(state.storage);
  migrate(database, migrations);
  for (const [table, rows] of Object.entries(tables)) {
    // What a migration has put there is in the rows too.
    database.run(`DELETE FROM ${table}`);
    for (const row of rows) {
      const columns = Object.keys(row);
      const places = columns.map(() => '?').join(', ');
      state.storage.sql.exec(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places})`, ...Object.values(row));
    }
  }
  return database;
}

/** An object that never sets an alarm may not delete one either. */
async function dropAlarm({ storage }: DurableObjectState): Promise<void> {
  if ((await storage.getAlarm()) !== null) await storage.deleteAlarm();
}
