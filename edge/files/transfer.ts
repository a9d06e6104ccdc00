import { invalidRequest, limits, TabgridError, type FileView } from '#protocol';
import type { Env } from '../env.ts';
import { log } from '../lib/log.ts';
import { call } from '../lib/rpc.ts';
import { blobsOf, bodyTooLarge, type Announced, type Blobs } from './blobs.ts';
import type { Preconditions } from './preconditions.ts';
import { filesObject, type StoredBlob, type UploadPart } from './rpc.ts';

/** Bytes on their way between a request and the store. They are stored under a reserved key first, and named when all of them are there. */

/** An upload in parts may come to this. */
const maxUploadBytes = 50e9;

/** A body with what its request says of its length. */
export interface Incoming {
  readonly body: ReadableStream<Uint8Array>;
  readonly bytes: number | null;
}

export function incomingOf(request: Request): Incoming {
  const announced = request.headers.get('content-length');
  const body = (request.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>;
  return { body, bytes: request.body === null ? 0 : announced === null ? null : Number(announced) };
}

export interface Target {
  readonly owner: string;
  readonly path: string;
  readonly contentType: string;
  readonly preconditions: Preconditions;
}

/** Stores a file in one piece. @throws TabgridError `body_too_large`, `precondition_failed`, `unavailable` */
export async function storeFile(
  env: Env,
  { owner, path, contentType, preconditions }: Target,
  incoming: Incoming,
): Promise<{ file: FileView; created: boolean }> {
  if ((incoming.bytes ?? 0) > limits.maxFileBytes) throw bodyTooLarge(limits.maxFileBytes);
  const files = filesObject(env);
  const blob = await call(files.reserve(owner, path, preconditions));
  return storing(env, blob, incoming, limits.maxFileBytes, (stored) =>
    call(files.commit(owner, path, { ...stored, contentType }, preconditions)),
  );
}

/** Stores one part of an upload. */
export async function storePart(
  env: Env,
  owner: string,
  upload: string,
  part: number,
  incoming: Incoming,
): Promise<UploadPart> {
  if ((incoming.bytes ?? 0) > limits.maxFileBytes) throw bodyTooLarge(limits.maxFileBytes);
  const files = filesObject(env);
  const blob = await call(files.reservePart(owner, upload));
  return storing(env, blob, incoming, limits.maxFileBytes, (stored) =>
    call(files.commitPart(owner, upload, part, stored)),
  );
}

/**
 * Makes one file of an upload’s parts.
 * @param expectedSha256 what the whole must hash to; null where the caller does not say.
 * @throws TabgridError `conflict` when a part is missing, `invalid_request` when the hash differs.
 */
export async function completeUpload(
  env: Env,
  owner: string,
  upload: string,
  expectedSha256: string | null,
  preconditions: Preconditions,
): Promise<{ file: FileView; created: boolean }> {
  const files = filesObject(env);
  const { view, parts, blob } = await call(files.assemble(owner, upload));
  if (view.file !== null) {
    await call(files.abandon(blob));
    return { file: view.file, created: false };
  }
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const body = joined(blobsOf(env), parts, bytes);
  return storing(env, blob, { body, bytes }, maxUploadBytes, (stored) => {
    if (expectedSha256 !== null && expectedSha256 !== stored.sha256) {
      const message = `expected the hash of the parts joined, ${stored.sha256}`;
      throw invalidRequest({ path: 'sha256', message });
    }
    return call(files.completeUpload(owner, upload, stored, preconditions));
  });
}

/** Stores a body under its reserved key and hands on what it came to. What fails is given up at once, not after the reservation’s day. */
async function storing<T>(
  env: Env,
  blob: string,
  { body, bytes }: Incoming,
  maxBytes: number,
  commit: (stored: StoredBlob) => Promise<T>,
): Promise<T> {
  try {
    const announced: Announced = { bytes, maxBytes };
    const stored = await blobsOf(env).put(blob, body, announced);
    return await commit({ blob, ...stored });
  } catch (error) {
    await call(filesObject(env).abandon(blob)).catch((cause: unknown) =>
      log('warn', 'blob-not-abandoned', { blob, cause }),
    );
    throw error;
  }
}

/** The parts’ bytes one after the other. */
function joined(blobs: Blobs, parts: readonly StoredBlob[], bytes: number): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(bytes);
  const pump = async (): Promise<void> => {
    for (const { blob } of parts) {
      const part = await blobs.get(blob);
      if (part === null) throw new TabgridError('internal', 'a part’s bytes are gone');
      await part.pipeTo(writable, { preventClose: true });
    }
    await writable.close();
  };
  pump().catch((error: unknown) => writable.abort(error).catch(() => undefined));
  return readable;
}
