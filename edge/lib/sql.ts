export type SqlValue = string | number | null | ArrayBuffer;
/** A row that a statement takes as JSON. */
export type JsonRow = readonly (string | number | null)[];
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

  /** Every row as an array of its columns, which costs half of what objects do. */
  raw(query: string, ...values: SqlValue[]): SqlValue[][] {
    const cursor = this.#storage.sql.exec(query, ...values);
    const rows = [...cursor.raw()];
    this.rowsRead += cursor.rowsRead;
    this.rowsWritten += cursor.rowsWritten;
    return rows;
  }

  /** Runs a statement that gives no rows, for its effect. @returns rows written, index entries included. */
  run(query: string, ...values: SqlValue[]): number {
    const cursor = this.#storage.sql.exec(query, ...values);
    this.rowsRead += cursor.rowsRead;
    const written = cursor.rowsWritten;
    this.rowsWritten += written;
    return written;
  }

  /**
   * Runs a statement for many rows, which it takes as arrays from `json_each(?)`: binding their values one by one, a statement for each, was
   * measured twice as slow.
   */
  runEach(query: string, rows: Iterable<JsonRow>): void {
    for (const chunk of chunksOf(rows)) this.run(query, `[${chunk.join(',')}]`);
  }

  /** The same. @returns how many rows of its table it changed. */
  changeEach(query: string, rows: Iterable<JsonRow>): number {
    let changed = 0;
    for (const chunk of chunksOf(rows)) {
      const written = this.run(query, `[${chunk.join(',')}]`);
      changed +=
        chunk.length === 1
          ? Math.min(written, 1)
          : this.one<{ changed: number }>('SELECT changes() AS changed').changed;
    }
    return changed;
  }

  /** All of `body` or nothing of it. `body` is synchronous; what throws rolls back. */
  transaction<T>(body: () => T): T {
    return this.#storage.transactionSync(body);
  }

  get sizeBytes(): number {
    return this.#storage.sql.databaseSize;
  }
}

/**
 * Longer texts, which may have 2 MB (developers.cloudflare.com/durable-objects/platform/limits), would be no faster, and V8 keeps those over
 * 128 KB where garbage lies longest.
 */
const maxChunkChars = 60_000;

/** Texts of rows, each made when it is its turn: of many at once the garbage collector would think that they stay. */
function* chunksOf(rows: Iterable<JsonRow>): Generator<string[]> {
  let chunk: string[] = [];
  let chars = 0;
  for (const row of rows) {
    const text = JSON.stringify(row);
    if (chunk.length > 0 && chars + text.length > maxChunkChars) {
      yield chunk;
      chunk = [];
      chars = 0;
    }
    chunk.push(text);
    chars += text.length;
  }
  if (chunk.length > 0) yield chunk;
}
