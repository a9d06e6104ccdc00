import { isoTime, type FileView } from '#protocol';
import type { Database } from '../lib/sql.ts';
import type { Located, StoredBlob } from './rpc.ts';

type FileRow = {
  owner: string;
  path: string;
  blob: string;
  sha256: string;
  bytes: number;
  content_type: string;
  created_ms: number;
};

const fileColumns = 'owner, path, blob, sha256, bytes, content_type, created_ms';

/** The index of files and of the bytes behind them. Call the methods that change something inside a transaction. */
export class FileStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  find(owner: string, path: string): Located | null {
    const row = this.#database.maybe<FileRow>(
      `SELECT ${fileColumns} FROM files JOIN blobs ON key = blob WHERE owner = ? AND path = ?`,
      owner,
      path,
    );
    return row === undefined ? null : located(row);
  }

  /** Files after `after`, in the order of their paths’ UTF-8. */
  list(owner: string, prefix: string, after: string, limit: number): FileView[] {
    const rows = this.#database.all<FileRow>(
      `SELECT ${fileColumns} FROM files JOIN blobs ON key = blob
       WHERE owner = ?1 AND path > ?2 AND path >= ?3 AND path < ?3 || char(1114111) ORDER BY path LIMIT ?4`,
      owner,
      after,
      prefix,
      limit,
    );
    return rows.map((row) => located(row).file);
  }

  /** @param doomedMs when the bytes go if nothing names them before. */
  reserveBlob(key: string, doomedMs: number): void {
    this.#database.run('INSERT INTO blobs (key, doomed_ms) VALUES (?, ?)', key, doomedMs);
  }

  /** Notes what lies under a reserved key. @returns false where the reservation is over. */
  fillBlob({ blob, sha256, bytes }: StoredBlob): boolean {
    return this.#database.run('UPDATE blobs SET sha256 = ?, bytes = ? WHERE key = ?', sha256, bytes, blob) > 0;
  }

  blob(key: string): StoredBlob | null {
    const row = this.#database.maybe<{ sha256: string | null; bytes: number }>(
      'SELECT sha256, bytes FROM blobs WHERE key = ?',
      key,
    );
    return row === undefined || row.sha256 === null ? null : { blob: key, sha256: row.sha256, bytes: row.bytes };
  }

  /** A file’s earlier bytes with the same content, so that they need not lie there twice. */
  twinOf({ blob, sha256 }: StoredBlob): string | null {
    const row = this.#database.maybe<{ key: string }>(
      'SELECT key FROM blobs WHERE sha256 = ? AND key <> ? AND EXISTS (SELECT 1 FROM files WHERE blob = key) LIMIT 1',
      sha256,
      blob,
    );
    return row?.key ?? null;
  }

  /** Names bytes, in place of what had the name. The caller dooms what it replaced. */
  name(owner: string, path: string, blob: string, contentType: string, nowMs: number): void {
    this.#database.run('UPDATE blobs SET doomed_ms = NULL WHERE key = ?', blob);
    this.#database.run(
      'INSERT OR REPLACE INTO files (owner, path, blob, content_type, created_ms) VALUES (?, ?, ?, ?, ?)',
      owner,
      path,
      blob,
      contentType,
      nowMs,
    );
  }

  unname(owner: string, path: string): void {
    this.#database.run('DELETE FROM files WHERE owner = ? AND path = ?', owner, path);
  }

  /** Lets bytes go at `doomedMs`, unless a file names them. */
  doom(key: string, doomedMs: number): void {
    this.#database.run(
      'UPDATE blobs SET doomed_ms = ? WHERE key = ? AND NOT EXISTS (SELECT 1 FROM files WHERE blob = key)',
      doomedMs,
      key,
    );
  }

  /** When the next bytes go. */
  nextDoomedMs(): number | null {
    return this.#database.one<{ ms: number | null }>(
      'SELECT min(doomed_ms) AS ms FROM blobs WHERE doomed_ms IS NOT NULL',
    ).ms;
  }

  /** Strikes doomed bytes from the index, so that nothing can name them while they are deleted. @returns keys to delete, old ones too. */
  condemn(nowMs: number, limit: number): string[] {
    const doomed = `SELECT key FROM blobs WHERE doomed_ms <= ?1 ORDER BY doomed_ms LIMIT ?2`;
    this.#database.run(`INSERT OR IGNORE INTO deletions ${doomed}`, nowMs, limit);
    this.#database.run('DELETE FROM blobs WHERE key IN (SELECT key FROM deletions)');
    return this.#database.all<{ key: string }>('SELECT key FROM deletions LIMIT ?', limit).map(({ key }) => key);
  }

  deleted(key: string): void {
    this.#database.run('DELETE FROM deletions WHERE key = ?', key);
  }

  /** Whether bytes wait to be deleted that could not be so far. */
  hasDeletions(): boolean {
    return this.#database.maybe('SELECT 1 FROM deletions LIMIT 1') !== undefined;
  }
}

function located(row: FileRow): Located {
  return {
    blob: row.blob,
    file: {
      path: row.path,
      sha256: row.sha256,
      bytes: row.bytes,
      content_type: row.content_type,
      owner: row.owner,
      created_at: isoTime(row.created_ms),
    },
  };
}
