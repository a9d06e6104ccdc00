import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBlobService } from '../../client/cli/serve/blob-service.ts';
import { freshFolder } from './helpers/processes.ts';
import { until } from './helpers/wait.ts';

/** Talks to the file service as the edge does. */
function ask(
  socketPath: string,
  method: string,
  path: string,
  more: { body?: Buffer; headers?: Record<string, string | number> } = {},
): Promise<{ status: number; body: Buffer; headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, method, path, headers: more.headers ?? {} }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), headers: response.headers }),
      );
    });
    request.on('error', reject);
    request.end(more.body);
  });
}

describe('the file service', () => {
  const setup = async (left: readonly string[] = []) => {
    const folder = await freshFolder();
    const [blobs, uploads, socket] = [join(folder, 'blobs'), join(folder, 'uploads'), join(folder, 'socket')];
    await mkdir(blobs);
    await mkdir(uploads);
    for (const name of left) await writeFile(join(uploads, name), 'x');
    const server = await startBlobService({ blobs, uploads }, socket);
    onTestFinished(() => void server.close());
    return { blobs, uploads, socket, ask: ask.bind(undefined, socket) };
  };

  it('stores, hashes, serves ranges and deletes', async () => {
    const { ask, blobs } = await setup();
    const body = Buffer.from('0123456789');
    const put = await ask('PUT', '/blobs/ab/key', { body });
    expect(JSON.parse(put.body.toString())).toEqual({
      sha256: '84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882',
      bytes: 10,
    });
    expect((await ask('GET', '/blobs/ab/key')).body).toEqual(body);
    const part = await ask('GET', '/blobs/ab/key', { headers: { range: 'bytes=2-4' } });
    expect([part.status, part.body.toString(), part.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10']);
    expect((await ask('GET', '/blobs/ab/key', { headers: { range: 'bytes=10-' } })).status).toBe(416);
    expect((await ask('DELETE', '/blobs/ab/key')).status).toBe(200);
    expect((await ask('DELETE', '/blobs/ab/key')).status).toBe(200);
    expect((await ask('GET', '/blobs/ab/key')).status).toBe(404);
    expect(await readdir(join(blobs, 'ab'))).toEqual([]);
  });

  it('leaves nothing of an upload that breaks off', async () => {
    const { socket, uploads, ask } = await setup();
    const request = httpRequest({
      socketPath: socket,
      method: 'PUT',
      path: '/blobs/half',
      headers: { 'content-length': 100 },
    });
    request.on('error', () => undefined);
    request.write('only a part');
    await until(async () => (await readdir(uploads)).length === 1);
    request.destroy();
    await until(async () => (await readdir(uploads)).length === 0);
    expect((await ask('GET', '/blobs/half')).status).toBe(404);
  });

  it.each(['/blobs/..%2fsecret', '/blobs/.uploads/x', '/blobs/', '/secret', '/blobs/a//b'])(
    'has no place for %s',
    async (path) => {
      const { ask } = await setup();
      expect((await ask('PUT', path, { body: Buffer.from('x') })).status).toBe(400);
    },
  );

  it('clears away what an earlier one left half done', async () => {
    const { uploads } = await setup(['left']);
    expect(await readdir(uploads)).toEqual([]);
  });
});
