export type SqlValue = string | number | null | ArrayBuffer;
export type SqlRow = Record<string, SqlValue>;

/**
 * The SQLite of one Durable Object, with typed answers. Statements live in the `store.ts` of their object, each under a name; only
 * values are bound, never identifiers. At most 100 bindings a statement: pass lists as JSON through `json_each(?)`.
 */
export class Database {
  /** Rows read and written so far, index entries included: what Cloudflare bills. */
  rowsRead = 0;
  rowsWritten = 0;
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Every row. */
  all<Row extends SqlRow>(query: string, ...values: SqlValue[]): Row[] {
    const cursor = this.#storage.sql.exec<Row>(query, ...values);
    const rows = cursor.toArray();
    this.rowsRead += cursor.rowsRead;
    this.rowsWritten += cursor.rowsWritten;
    return rows;
  }

  /** The first row, if there is one. */
  maybe<Row extends SqlRow>(query: string, ...values: SqlValue[]): Row | undefined {
    return this.all<Row>(query, ...values)[0];
  }

  /** The one row that there must be. */
  one<Row extends SqlRow>(query: string, ...values: SqlValue[]): Row {
    const rows = this.all<Row>(query, ...values);
    const [row] = rows;
    if (row === undefined || rows.length > 1) throw new Error(`expected one row, got ${rows.length}: ${query}`);
    return row;
  }

  /** Runs a statement for its effect. @returns rows written, index entries included. */
  run(query: string, ...values: SqlValue[]): number {
    const before = this.rowsWritten;
    this.all(query, ...values);
    return this.rowsWritten - before;
  }

  /** All of `body` or nothing of it. `body` is synchronous; what throws rolls back. */
  transaction<T>(body: () => T): T {
    return this.#storage.transactionSync(body);
  }

  get sizeBytes(): number {
    return this.#storage.sql.databaseSize;
  }
}
