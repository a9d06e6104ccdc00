import { isoTime, type FileView } from '#protocol';
import type { Database } from '../lib/sql.ts';
import type { UploadPart, UploadView } from './rpc.ts';

export type UploadRow = {
  id: string;
  owner: string;
  path: string;
  content_type: string;
  body_digest: string | null;
  file: string | null;
  expires_ms: number;
};

/** Uploads in parts that are under way, or were completed less than a day ago. */
export class UploadStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  insert(row: Omit<UploadRow, 'file'>): void {
    this.#database.run(
      'INSERT INTO uploads (id, owner, path, content_type, body_digest, expires_ms) VALUES (?, ?, ?, ?, ?, ?)',
      row.id,
      row.owner,
      row.path,
      row.content_type,
      row.body_digest,
      row.expires_ms,
    );
  }

  find(owner: string, id: string, nowMs: number): UploadRow | null {
    const row = this.#database.maybe<UploadRow>(
      'SELECT * FROM uploads WHERE id = ? AND owner = ? AND expires_ms > ?',
      id,
      owner,
      nowMs,
    );
    return row ?? null;
  }

  view(row: UploadRow): UploadView {
    return {
      upload_id: row.id,
      path: row.path,
      content_type: row.content_type,
      parts: this.parts(row.id).map(({ part, sha256, bytes }) => ({ part, sha256, bytes })),
      file: row.file === null ? null : (JSON.parse(row.file) as FileView),
      expires_at: isoTime(row.expires_ms),
    };
  }

  /** In the order of their numbers. */
  parts(id: string): (UploadPart & { blob: string })[] {
    return this.#database.all<{ part: number; sha256: string; bytes: number; blob: string }>(
      'SELECT part, sha256, bytes, blob FROM parts JOIN blobs ON key = blob WHERE upload = ? ORDER BY part',
      id,
    );
  }

  /** @returns the key of the part that had this number before. */
  setPart(id: string, part: number, blob: string): string | null {
    const earlier = this.#database.maybe<{ blob: string }>(
      'SELECT blob FROM parts WHERE upload = ? AND part = ?',
      id,
      part,
    );
    this.#database.run('INSERT OR REPLACE INTO parts (upload, part, blob) VALUES (?, ?, ?)', id, part, blob);
    return earlier?.blob ?? null;
  }

  complete(id: string, file: FileView): void {
    this.#database.run('DELETE FROM parts WHERE upload = ?', id);
    this.#database.run('UPDATE uploads SET file = ? WHERE id = ?', JSON.stringify(file), id);
  }

  discard(id: string): void {
    this.#database.run('DELETE FROM parts WHERE upload = ?', id);
    this.#database.run('DELETE FROM uploads WHERE id = ?', id);
  }

  /** Forgets uploads that are over, at most so many parts and so many of the uploads that have none. The parts’ bytes are doomed to the same time. */
  discardExpired(nowMs: number, limit: number): void {
    this.#database.run(
      `DELETE FROM parts WHERE (upload, part) IN (
         SELECT upload, part FROM uploads JOIN parts ON upload = id WHERE expires_ms <= ? LIMIT ?)`,
      nowMs,
      limit,
    );
    this.#database.run(
      `DELETE FROM uploads WHERE id IN (
         SELECT id FROM uploads WHERE expires_ms <= ? AND NOT EXISTS (SELECT 1 FROM parts WHERE upload = id) LIMIT ?)`,
      nowMs,
      limit,
    );
  }

  nextExpiryMs(): number | null {
    return this.#database.one<{ ms: number | null }>('SELECT min(expires_ms) AS ms FROM uploads').ms;
  }
}
