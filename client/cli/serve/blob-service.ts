import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { replaceFile } from '../lib/replace-file.ts';

export interface BlobFolders {
  readonly blobs: string;
  /** On the same file system, so that a complete upload moves over in one step. */
  readonly uploads: string;
}

const keyPattern = /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/;

/**
 * The place of files’ bytes on one’s own machine, for the edge alone:
 * `PUT /blobs/<key>` answers `{ sha256, bytes }` once the bytes are on the disk for good; `GET` knows one range; `DELETE` may be repeated.
 * An upload that breaks off leaves nothing behind, not even after a power cut: what was left in `uploads` goes at the next start.
 */
export async function startBlobService(folders: BlobFolders, socketPath: string): Promise<Server> {
  for (const name of await readdir(folders.uploads)) await rm(join(folders.uploads, name), { force: true });
  const server = createServer((request, response) => {
    answer(folders, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else reply(response, 500, { error: error instanceof Error ? error.message : String(error) });
    });
  });
  // Uploads may be slow for as long as they come.
  server.requestTimeout = 0;
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // Whoever may not look into the state directory may not ask here either, wherever the socket is.
  await chmod(socketPath, 0o600);
  return server;
}

async function answer(folders: BlobFolders, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://blobs');
  const key = pathname.startsWith('/blobs/') ? pathname.slice('/blobs/'.length) : '';
  if (!keyPattern.test(key) || key.length > 512) {
    reply(response, 400, { error: 'expected /blobs/<key> with letters, digits and . _ - between slashes' });
    return;
  }
  const path = join(folders.blobs, key);
  switch (request.method) {
    case 'PUT':
      reply(response, 200, await store(folders, path, request));
      return;
    case 'GET':
    case 'HEAD':
      await send(path, request, response);
      return;
    case 'DELETE':
      await rm(path, { force: true });
      reply(response, 200, {});
      return;
    default:
      reply(response, 405, { error: 'expected GET, HEAD, PUT or DELETE' });
  }
}

async function store(
  folders: BlobFolders,
  path: string,
  request: IncomingMessage,
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await mkdir(dirname(path), { recursive: true });
  const write = async (temporary: string): Promise<void> => {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await pipeline(
        request,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            bytes += chunk.length;
            yield chunk;
          }
        },
        file.createWriteStream({ flush: true }),
      );
    } finally {
      await file.close();
    }
  };
  await replaceFile(path, write, join(folders.uploads, randomUUID()));
  return { sha256: hash.digest('hex'), bytes };
}

async function send(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) {
    reply(response, 404, { error: 'no such blob' });
    return;
  }
  const range = rangeOf(request.headers.range, found.size);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${found.size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: found.size - 1 };
  response.writeHead(range === null ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${found.size}` }),
  });
  if (request.method === 'HEAD' || found.size === 0) {
    response.end();
    return;
  }
  await pipeline(createReadStream(path, { start, end }), response);
}

/** One range of bytes, both ends counted; null where the whole is asked for. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
