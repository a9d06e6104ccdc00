import { parseCsv } from '#kernels/csv';
import {
  cellValue,
  recordFormatOf,
  RecordScanner,
  TabgridError,
  workflowFolder,
  type Json,
  type RecordFormat,
  type WorkflowId,
} from '#protocol';
import type { Env } from '../env.ts';
import { blobsOf } from '../files/blobs.ts';
import { filesObject, type Located } from '../files/rpc.ts';
import { call } from '../lib/rpc.ts';
import type { FileItems, Sources } from './core/types.ts';

/**
 * Reads the files that a canvas names, as a stream, and gives their bytes second names under the workflow, so that they stay whatever becomes of the
 * first. For the stateless Worker: a large file takes some seconds.
 * @param files their places in the canvas.
 * @throws TabgridError `file_not_found`, `invalid_request` with the place.
 */
export async function pinSources(
  env: Env,
  owner: string,
  workflowId: WorkflowId,
  files: ReadonlyMap<string, string>,
): Promise<Sources> {
  const pinned: Record<string, FileItems> = {};
  for (const [path, place] of files) pinned[path] = await pin(env, owner, workflowId, path, place);
  return pinned;
}

async function pin(env: Env, owner: string, workflowId: WorkflowId, path: string, place: string): Promise<FileItems> {
  const { blob, file } = await locate(env, owner, path, place);
  const format = recordFormatOf(path);
  const second = `${workflowFolder(workflowId)}/items/${file.sha256.slice(0, 16)}.${format}`;
  await call(filesObject(env).link(owner, blob, second, file.content_type));
  const body = await blobsOf(env).get(blob);
  if (body === null) throw new TabgridError('internal', `the bytes of ${path} are gone`);
  const { count, head } = await countRecords(body, format);
  const items = { path: second, sha256: file.sha256, count };
  return head === null ? items : { ...items, first: firstOf(head, format, place) };
}

/** A first item that ends farther from the file’s beginning is not looked at. */
const maxHeadBytes = 1024 * 1024;

/** @returns the items, and the beginning of the file until the first of them ends; null where there is none or it is long. */
async function countRecords(
  body: ReadableStream<Uint8Array>,
  format: RecordFormat,
): Promise<{ count: number; head: Uint8Array | null }> {
  const isHeader = format === 'csv' ? 1 : 0;
  let records = 0;
  let headEnd = -1;
  const scanner = new RecordScanner(format, (_, end) => {
    records++;
    if (records === isHeader + 1) headEnd = end;
  });
  const begun: Uint8Array[] = [];
  let begunBytes = 0;
  const reader = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (headEnd < 0 && begunBytes < maxHeadBytes) {
      begun.push(next.value);
      begunBytes += next.value.length;
    }
    scanner.push(next.value);
  }
  scanner.end();
  const isKnown = headEnd >= 0 && headEnd <= begunBytes;
  const head = isKnown ? new Uint8Array(await new Blob(begun).slice(0, headEnd).arrayBuffer()) : null;
  return { count: Math.max(0, records - isHeader), head };
}

async function locate(env: Env, owner: string, path: string, place: string): Promise<Located> {
  try {
    return await call(filesObject(env).find(owner, path));
  } catch (error) {
    if (!(error instanceof TabgridError) || error.code !== 'not_found') throw error;
    throw refused('file_not_found', place, `there is no file ${path}`);
  }
}

/** The first item, for a look at its form; read as workers read it. */
function firstOf(head: Uint8Array, format: RecordFormat, place: string): Json {
  try {
    if (format === 'ndjson') return JSON.parse(new TextDecoder().decode(head)) as Json;
    const { header, rows } = parseCsv(head);
    const cells = header.map((name, column) => [name, cellValue(rows[0]?.[column] ?? '')] as const);
    return Object.fromEntries(cells.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refused('invalid_request', place, `the first item cannot be read: ${reason}`);
  }
}

function refused(code: 'file_not_found' | 'invalid_request', path: string, message: string): TabgridError {
  return new TabgridError(code, `${path}: ${message}`, { details: { faults: [{ path, message }] } });
}
