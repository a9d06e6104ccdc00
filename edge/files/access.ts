import { TabgridError, type FileView } from '#protocol';
import type { Env } from '../env.ts';
import { call } from '../lib/rpc.ts';
import { blobsOf } from './blobs.ts';
import { noPreconditions } from './preconditions.ts';
import { filesObject } from './rpc.ts';
import { storeFile } from './transfer.ts';

/** Files for use inside the edge, in whole. */

/** @throws TabgridError `file_not_found` */
export async function readFile(env: Env, owner: string, path: string): Promise<Uint8Array> {
  const { blob } = await call(filesObject(env).find(owner, path)).catch((error: unknown) => {
    throw error instanceof TabgridError && error.code === 'not_found'
      ? new TabgridError('file_not_found', error.message, { details: { path } })
      : error;
  });
  const body = await blobsOf(env).get(blob);
  if (body === null) throw new TabgridError('internal', `the bytes of ${path} are gone`);
  return new Uint8Array(await new Response(body).arrayBuffer());
}

/** In place of what had the path. @throws TabgridError `body_too_large` */
export async function writeFile(
  env: Env,
  owner: string,
  path: string,
  bytes: Uint8Array,
  contentType: string,
): Promise<FileView> {
  const body = new Blob([bytes]).stream() as ReadableStream<Uint8Array>;
  const target = { owner, path, contentType, preconditions: noPreconditions };
  return (await storeFile(env, target, { body, bytes: bytes.byteLength })).file;
}

/** May be repeated. */
export async function deleteFile(env: Env, owner: string, path: string): Promise<void> {
  try {
    await call(filesObject(env).remove(owner, path, noPreconditions));
  } catch (error) {
    if (!(error instanceof TabgridError) || error.code !== 'not_found') throw error;
  }
}

/** Deletes every file below a path. May be repeated. */
export async function deleteFolder(env: Env, owner: string, folder: string): Promise<void> {
  const query = { prefix: `${folder}/`, limit: 100, cursor: null };
  for (;;) {
    const { files } = await call(filesObject(env).list(owner, query));
    if (files.length === 0) return;
    for (const { path } of files) await deleteFile(env, owner, path);
  }
}
