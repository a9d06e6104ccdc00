import type { FileView } from '#protocol';
import type { Env } from '../env.ts';
import { call } from '../lib/rpc.ts';
import { writeFile } from './access.ts';
import { noPreconditions } from './preconditions.ts';
import { filesObject } from './rpc.ts';
import { completeUpload, storePart } from './transfer.ts';

/** Bytes of one part: what is in memory at once. */
const partBytes = 8_000_000;

/**
 * Writes a text that is made while it is written, of any length. What breaks off goes on where it was when it is called again within a day, so the
 * text under one path must be the same each time.
 */
export async function writeLarge(
  env: Env,
  owner: string,
  path: string,
  chunks: AsyncIterable<string>,
  contentType: string,
): Promise<FileView> {
  const parts = partsOf(chunks);
  const first = await parts.next();
  const second = first.done === true ? first : await parts.next();
  if (first.done === true || second.done === true) {
    return writeFile(env, owner, path, first.value ?? new Uint8Array(), contentType);
  }
  const request = { key: `write ${path}`, bodyDigest: '' };
  const upload = await call(filesObject(env).openUpload(owner, { path, contentType }, request));
  if (upload.file !== null) return upload.file;
  const present = new Set(upload.parts.map(({ part }) => part));
  let part = 0;
  const store = async (bytes: Uint8Array): Promise<void> => {
    part++;
    if (present.has(part)) return;
    const body = new Blob([bytes]).stream() as ReadableStream<Uint8Array>;
    await storePart(env, owner, upload.upload_id, part, { body, bytes: bytes.byteLength });
  };
  await store(first.value);
  await store(second.value);
  for await (const bytes of parts) await store(bytes);
  return (await completeUpload(env, owner, upload.upload_id, null, noPreconditions)).file;
}

async function* partsOf(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array, undefined> {
  const encoder = new TextEncoder();
  let pending: Uint8Array[] = [];
  let bytes = 0;
  const joined = (): Uint8Array => {
    const whole = new Uint8Array(bytes);
    let offset = 0;
    for (const piece of pending) {
      whole.set(piece, offset);
      offset += piece.length;
    }
    pending = [];
    bytes = 0;
    return whole;
  };
  for await (const chunk of chunks) {
    const piece = encoder.encode(chunk);
    pending.push(piece);
    bytes += piece.length;
    if (bytes >= partBytes) yield joined();
  }
  if (bytes > 0) yield joined();
  return undefined;
}
