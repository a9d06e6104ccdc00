import { alarmsTable } from '../lib/alarms.ts';
import type { Migration } from '../lib/migrate.ts';

export const migrations: readonly Migration[] = [
  {
    id: 1,
    sql: `
      CREATE TABLE files (
        owner TEXT NOT NULL, path TEXT NOT NULL, blob TEXT NOT NULL, content_type TEXT NOT NULL, created_ms INTEGER NOT NULL,
        PRIMARY KEY (owner, path)
      ) WITHOUT ROWID;
      CREATE INDEX files_by_blob ON files (blob);

      -- Bytes that lie in the store, or are on their way there. doomed_ms: when they go, unless something names them before.
      CREATE TABLE blobs (key TEXT PRIMARY KEY, sha256 TEXT, bytes INTEGER, doomed_ms INTEGER) WITHOUT ROWID;
      CREATE INDEX blobs_by_content ON blobs (sha256) WHERE sha256 IS NOT NULL;
      CREATE INDEX blobs_doomed ON blobs (doomed_ms) WHERE doomed_ms IS NOT NULL;

      -- Nothing can name these any more; their bytes are being deleted.
      CREATE TABLE deletions (key TEXT PRIMARY KEY) WITHOUT ROWID;

      -- file: the FileView (JSON) that a completed upload has become.
      CREATE TABLE uploads (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, path TEXT NOT NULL, content_type TEXT NOT NULL, body_digest TEXT,
        file TEXT, expires_ms INTEGER NOT NULL
      ) WITHOUT ROWID;
      CREATE INDEX uploads_by_expiry ON uploads (expires_ms);
      CREATE TABLE parts (
        upload TEXT NOT NULL, part INTEGER NOT NULL, blob TEXT NOT NULL, PRIMARY KEY (upload, part)
      ) WITHOUT ROWID;
      ${alarmsTable}
    `,
  },
];
