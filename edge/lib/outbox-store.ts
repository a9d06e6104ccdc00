import type { Json } from '#protocol';
import type { Envelope } from './outbox.ts';
import type { Database } from './sql.ts';

/** Where an outbox keeps its messages, and an inbox its memory of the senders. */
export interface OutboxStore {
  /** Adds a message under the target’s next number. */
  append(target: string, body: string): void;
  /** Targets for which something waits. */
  targets(): string[];
  /** The oldest waiting messages of a target, in order. */
  head(target: string, count: number): Envelope[];
  /** Forgets what the target has applied. */
  acknowledge(target: string, seq: number): void;
  /** The number applied last of this sender; 0 before the first. */
  received(sender: string): number;
  setReceived(sender: string, seq: number): void;
}

/**
 * The tables behind `SqlOutboxStore`; they go into an object’s list of migrations. `outbox_acknowledged` keeps the numbering going when
 * the outbox is empty.
 */
export const outboxTables = `
  CREATE TABLE outbox (target TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (target, seq)) WITHOUT ROWID;
  CREATE TABLE outbox_acknowledged (target TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE inbox (sender TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
`;

/** About as much as one call may carry. */
const maxBatchChars = 4_000_000;

export class SqlOutboxStore implements OutboxStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  append(target: string, body: string): void {
    this.#database.run(
      `INSERT INTO outbox (target, seq, body) VALUES (?1, 1 + max(
         coalesce((SELECT max(seq) FROM outbox WHERE target = ?1), 0),
         coalesce((SELECT seq FROM outbox_acknowledged WHERE target = ?1), 0)), ?2)`,
      target,
      body,
    );
  }

  targets(): string[] {
    return this.#database.all<{ target: string }>('SELECT DISTINCT target FROM outbox').map((row) => row.target);
  }

  head(target: string, count: number): Envelope[] {
    const rows = this.#database.all<{ seq: number; body: string }>(
      `SELECT seq, body FROM (
         SELECT seq, body, sum(length(body)) OVER (ORDER BY seq) AS chars
         FROM (SELECT seq, body FROM outbox WHERE target = ?1 ORDER BY seq LIMIT ?2))
       WHERE chars <= ?3 OR seq = (SELECT min(seq) FROM outbox WHERE target = ?1) ORDER BY seq`,
      target,
      count,
      maxBatchChars,
    );
    return rows.map(({ seq, body }) => ({ seq, body: JSON.parse(body) as Json }));
  }

  acknowledge(target: string, seq: number): void {
    this.#database.transaction(() => {
      this.#database.run('DELETE FROM outbox WHERE target = ? AND seq <= ?', target, seq);
      this.#database.run('INSERT OR REPLACE INTO outbox_acknowledged (target, seq) VALUES (?, ?)', target, seq);
    });
  }

  received(sender: string): number {
    return this.#database.maybe<{ seq: number }>('SELECT seq FROM inbox WHERE sender = ?', sender)?.seq ?? 0;
  }

  setReceived(sender: string, seq: number): void {
    this.#database.run('INSERT OR REPLACE INTO inbox (sender, seq) VALUES (?, ?)', sender, seq);
  }
}
