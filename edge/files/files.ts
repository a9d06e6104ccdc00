import { DurableObject } from 'cloudflare:workers';
import { fromBase64Url, sha256Hex, TabgridError, toBase64Url, type FileView } from '#protocol';
import type { RequestKey } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { Alarms } from '../lib/alarms.ts';
import { systemClock, type Clock } from '../lib/clock.ts';
import { invalidCursor } from '../lib/cursor.ts';
import { SortableIds } from '../lib/ids.ts';
import { log } from '../lib/log.ts';
import { migrate } from '../lib/migrate.ts';
import { reply, type Reply } from '../lib/rpc.ts';
import { Database } from '../lib/sql.ts';
import { blobsOf } from './blobs.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { FilesApi, Located, StoredBlob, UploadPart, UploadView } from './rpc.ts';
import { migrations } from './schema.ts';
import { FileStore } from './store.ts';
import { UploadStore, type UploadRow } from './upload-store.ts';

/** How long bytes may be on their way, and how long an upload in parts may take. */
const reservationMs = 24 * 3_600_000;
/** How long replaced bytes remain for those who are still reading them. */
const readingMs = 3_600_000;
/** Bytes deleted in one alarm; when the store does not answer, the next one is this much later. */
const sweepCount = 50;
const sweepRetryMs = 60_000;
/** Uploads, and parts of them, forgotten in one alarm. */
const discardCount = 1_000;

/** The index of all files. Their bytes stream between the Worker and the store; orphaned ones are deleted here, by alarm. */
export class Files extends DurableObject<Env> implements FilesApi {
  clock: Clock = systemClock;
  readonly #database: Database;
  readonly #alarms: Alarms<'sweep'>;
  readonly #files: FileStore;
  readonly #uploads: UploadStore;
  #ids: SortableIds | null = null;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    this.#database = new Database(context.storage);
    migrate(this.#database, migrations);
    this.#alarms = new Alarms(this.#database, context.storage, this.clock);
    this.#files = new FileStore(this.#database);
    this.#uploads = new UploadStore(this.#database);
  }

  find(owner: string, path: string): Promise<Reply<Located>> {
    return reply(() => this.#find(owner, path));
  }

  list(
    owner: string,
    { prefix, limit, cursor }: { prefix: string; limit: number; cursor: string | null },
  ): Promise<Reply<{ files: FileView[]; next_cursor: string | null }>> {
    return reply(() => {
      const files = this.#files.list(owner, prefix, decodeCursor(cursor), limit + 1);
      const last = files.length > limit ? files[limit - 1] : undefined;
      const next = last === undefined ? null : toBase64Url(new TextEncoder().encode(last.path));
      return { files: files.slice(0, limit), next_cursor: next };
    });
  }

  reserve(owner: string, path: string, preconditions: Preconditions): Promise<Reply<string>> {
    return this.#change(() => {
      checkPreconditions(preconditions, this.#versionOf(owner, path));
      return this.#reserve(this.clock.now() + reservationMs);
    });
  }

  commit(
    owner: string,
    path: string,
    stored: StoredBlob & { contentType: string },
    preconditions: Preconditions,
  ): Promise<Reply<{ file: FileView; created: boolean }>> {
    return this.#change(() => this.#commit(owner, path, stored, preconditions));
  }

  link(owner: string, blob: string, path: string, contentType: string): Promise<Reply<FileView>> {
    return this.#change(() => {
      const nowMs = this.clock.now();
      if (this.#files.blob(blob) === null) throw new TabgridError('conflict', 'the file was replaced long ago');
      const replaced = this.#files.find(owner, path);
      this.#files.name(owner, path, blob, contentType, nowMs);
      if (replaced !== null && replaced.blob !== blob) this.#files.doom(replaced.blob, nowMs + readingMs);
      return this.#find(owner, path).file;
    });
  }

  abandon(blob: string): Promise<Reply<null>> {
    return this.#change(() => {
      this.#files.doom(blob, this.clock.now());
      return null;
    });
  }

  remove(owner: string, path: string, preconditions: Preconditions): Promise<Reply<null>> {
    return this.#change(() => {
      const { file, blob } = this.#find(owner, path);
      checkPreconditions(preconditions, file.sha256);
      this.#files.unname(owner, path);
      this.#files.doom(blob, this.clock.now() + readingMs);
      return null;
    });
  }

  openUpload(
    owner: string,
    { path, contentType }: { path: string; contentType: string },
    request: RequestKey | null,
  ): Promise<Reply<UploadView>> {
    return this.#change(() => {
      const nowMs = this.clock.now();
      const id = request === null ? this.#newId() : sha256Hex(`${owner}\n${request.key}`).slice(0, 32);
      const earlier = this.#uploads.find(owner, id, nowMs);
      if (earlier !== null) {
        if (earlier.body_digest === request?.bodyDigest) return this.#uploads.view(earlier);
        throw new TabgridError('idempotency_conflict', 'this Idempotency-Key was used with another body');
      }
      this.#uploads.discard(id);
      const row = { id, owner, path, content_type: contentType, body_digest: request?.bodyDigest ?? null };
      this.#uploads.insert({ ...row, expires_ms: nowMs + reservationMs });
      return this.#uploads.view(this.#upload(owner, id));
    });
  }

  upload(owner: string, id: string): Promise<Reply<UploadView>> {
    return reply(() => this.#uploads.view(this.#upload(owner, id)));
  }

  reservePart(owner: string, id: string): Promise<Reply<string>> {
    return this.#change(() => this.#reserve(this.#openUpload(owner, id).expires_ms));
  }

  commitPart(owner: string, id: string, part: number, stored: StoredBlob): Promise<Reply<UploadPart>> {
    return this.#change(() => {
      this.#openUpload(owner, id);
      this.#fill(stored);
      const earlier = this.#uploads.setPart(id, part, stored.blob);
      if (earlier !== null && earlier !== stored.blob) this.#files.doom(earlier, this.clock.now() + readingMs);
      return { part, sha256: stored.sha256, bytes: stored.bytes };
    });
  }

  assemble(owner: string, id: string): Promise<Reply<{ view: UploadView; parts: StoredBlob[]; blob: string }>> {
    return this.#change(() => {
      const row = this.#upload(owner, id);
      const parts = this.#uploads.parts(id);
      if (row.file === null) checkParts(parts);
      return { view: this.#uploads.view(row), parts, blob: this.#reserve(row.expires_ms) };
    });
  }

  completeUpload(
    owner: string,
    id: string,
    stored: StoredBlob,
    preconditions: Preconditions,
  ): Promise<Reply<{ file: FileView; created: boolean }>> {
    return this.#change(() => {
      const row = this.#upload(owner, id);
      const nowMs = this.clock.now();
      if (row.file !== null) {
        this.#files.doom(stored.blob, nowMs);
        return { file: JSON.parse(row.file) as FileView, created: false };
      }
      const parts = this.#uploads.parts(id);
      const committed = this.#commit(owner, row.path, { ...stored, contentType: row.content_type }, preconditions);
      this.#uploads.complete(id, committed.file);
      for (const { blob } of parts) this.#files.doom(blob, nowMs + readingMs);
      return committed;
    });
  }

  discardUpload(owner: string, id: string): Promise<Reply<null>> {
    return this.#change(() => {
      this.#upload(owner, id);
      const parts = this.#uploads.parts(id);
      this.#uploads.discard(id);
      for (const { blob } of parts) this.#files.doom(blob, this.clock.now());
      return null;
    });
  }

  override async alarm(): Promise<void> {
    this.#alarms.fired();
    try {
      if (this.#alarms.take(this.clock.now()).length > 0) await this.#sweep();
    } finally {
      this.#schedule();
      this.#alarms.arm();
    }
  }

  /** Deletes the bytes of what is doomed. A key stays listed until the store has said that they are gone. */
  async #sweep(): Promise<void> {
    const nowMs = this.clock.now();
    const keys = this.#database.transaction(() => {
      this.#uploads.discardExpired(nowMs, discardCount);
      return this.#files.condemn(nowMs, sweepCount);
    });
    const blobs = blobsOf(this.env);
    for (const key of keys) {
      try {
        await blobs.delete(key);
        this.#files.deleted(key);
      } catch (error) {
        log('warn', 'blob-deletion-failed', { key, error });
      }
    }
  }

  #find(owner: string, path: string): Located {
    const found = this.#files.find(owner, path);
    if (found === null) throw new TabgridError('not_found', `there is no file ${path}`, { details: { path } });
    return found;
  }

  #versionOf(owner: string, path: string): string | null {
    return this.#files.find(owner, path)?.file.sha256 ?? null;
  }

  #commit(
    owner: string,
    path: string,
    stored: StoredBlob & { contentType: string },
    preconditions: Preconditions,
  ): { file: FileView; created: boolean } {
    const nowMs = this.clock.now();
    const replaced = this.#files.find(owner, path);
    checkPreconditions(preconditions, replaced?.file.sha256 ?? null);
    this.#fill(stored);
    const twin = this.#files.twinOf(stored);
    this.#files.name(owner, path, twin ?? stored.blob, stored.contentType, nowMs);
    if (twin !== null) this.#files.doom(stored.blob, nowMs);
    if (replaced !== null) this.#files.doom(replaced.blob, nowMs + readingMs);
    return { file: this.#find(owner, path).file, created: replaced === null };
  }

  #fill(stored: StoredBlob): void {
    if (this.#files.fillBlob(stored)) return;
    throw new TabgridError('conflict', 'the upload took too long: what had arrived was deleted');
  }

  #reserve(doomedMs: number): string {
    const key = this.#newId();
    this.#files.reserveBlob(key, doomedMs);
    return key;
  }

  #newId(): string {
    this.#ids ??= new SortableIds(this.clock);
    return this.#ids.next();
  }

  #upload(owner: string, id: string): UploadRow {
    const row = this.#uploads.find(owner, id, this.clock.now());
    if (row === null) throw new TabgridError('not_found', 'there is no such upload; one ends after a day');
    return row;
  }

  #openUpload(owner: string, id: string): UploadRow {
    const row = this.#upload(owner, id);
    if (row.file !== null) throw new TabgridError('conflict', 'the upload is complete');
    return row;
  }

  /** Comes back when the next bytes or upload are over, or, where bytes could not be deleted, soon. */
  #schedule(): void {
    const retryMs = this.#files.hasDeletions() ? this.clock.now() + sweepRetryMs : Infinity;
    const dueMs = Math.min(this.#files.nextDoomedMs() ?? Infinity, this.#uploads.nextExpiryMs() ?? Infinity, retryMs);
    if (Number.isFinite(dueMs)) this.#alarms.setBy('sweep', dueMs);
  }

  #change<T>(body: () => T): Promise<Reply<T>> {
    return reply(() => {
      const changed = this.#database.transaction(() => {
        const value = body();
        this.#schedule();
        return value;
      });
      this.#alarms.arm();
      return changed;
    });
  }
}

function decodeCursor(cursor: string | null): string {
  const bytes = cursor === null ? new Uint8Array() : fromBase64Url(cursor);
  if (bytes === null) throw invalidCursor();
  return new TextDecoder().decode(bytes);
}

/** Parts are numbered from 1, or from 0, without holes. */
function checkParts(parts: readonly UploadPart[]): void {
  const first = parts[0]?.part ?? 1;
  const whole = first <= 1 && parts.every(({ part }, index) => part === first + index);
  if (parts.length > 0 && whole) return;
  throw new TabgridError('conflict', 'parts are missing: expected them numbered from 1 without holes', {
    details: { parts: parts.map(({ part }) => part) },
  });
}
