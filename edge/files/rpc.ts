import type { FileView } from '#protocol';
import type { RequestKey } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { stubOf } from '../lib/delivery.ts';
import type { Reply } from '../lib/rpc.ts';
import type { Preconditions } from './preconditions.ts';

/** What the Files object offers to the Worker. It keeps the index; the bytes pass it by. */

/** Where a file’s bytes lie. */
export interface Located {
  file: FileView;
  blob: string;
}

/** Bytes that were stored under a key that `reserve` gave. */
export interface StoredBlob {
  blob: string;
  sha256: string;
  bytes: number;
}

export interface UploadPart {
  part: number;
  sha256: string;
  bytes: number;
}

export interface UploadView {
  upload_id: string;
  path: string;
  content_type: string;
  /** What has arrived, by number. */
  parts: UploadPart[];
  /** What it has become, once it is complete. */
  file: FileView | null;
  expires_at: string;
}

export interface FilesApi {
  /** @throws not_found */
  find(owner: string, path: string): Promise<Reply<Located>>;
  /** In the order of their paths. */
  list(
    owner: string,
    query: { prefix: string; limit: number; cursor: string | null },
  ): Promise<Reply<{ files: FileView[]; next_cursor: string | null }>>;
  /** A key to store bytes under; what is not committed within a day is deleted. Refuses early what the preconditions will refuse. */
  reserve(owner: string, path: string, preconditions: Preconditions): Promise<Reply<string>>;
  /** Gives the stored bytes their name, in place of what had it. @throws precondition_failed */
  commit(
    owner: string,
    path: string,
    stored: StoredBlob & { contentType: string },
    preconditions: Preconditions,
  ): Promise<Reply<{ file: FileView; created: boolean }>>;
  /** Gives bytes that have a name a second one. @throws conflict where they are gone by now. */
  link(owner: string, blob: string, path: string, contentType: string): Promise<Reply<FileView>>;
  /** The bytes under this key will not be committed. */
  abandon(blob: string): Promise<Reply<null>>;
  /** @throws not_found, precondition_failed */
  remove(owner: string, path: string, preconditions: Preconditions): Promise<Reply<null>>;

  openUpload(
    owner: string,
    target: { path: string; contentType: string },
    request: RequestKey | null,
  ): Promise<Reply<UploadView>>;
  /** @throws not_found */
  upload(owner: string, id: string): Promise<Reply<UploadView>>;
  /** A key for one part. @throws not_found; conflict when the upload is complete. */
  reservePart(owner: string, id: string): Promise<Reply<string>>;
  /** A part that is sent again takes the place of the earlier one. */
  commitPart(owner: string, id: string, part: number, stored: StoredBlob): Promise<Reply<UploadPart>>;
  /** The keys of all parts in order, and one for the whole. @throws conflict when a part is missing. */
  assemble(owner: string, id: string): Promise<Reply<{ view: UploadView; parts: StoredBlob[]; blob: string }>>;
  /** Gives the whole its name. A repeat answers with the file of the first time. */
  completeUpload(
    owner: string,
    id: string,
    stored: StoredBlob,
    preconditions: Preconditions,
  ): Promise<Reply<{ file: FileView; created: boolean }>>;
  discardUpload(owner: string, id: string): Promise<Reply<null>>;
}

export function filesObject(env: Env): FilesApi {
  return stubOf<FilesApi>(env, { object: 'files', name: 'main' });
}
