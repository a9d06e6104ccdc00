import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '#protocol';
import { deleteFile, readFile, writeFile } from '../../edge/files/access.ts';
import type { Files } from '../../edge/files/files.ts';
import { UploadStore } from '../../edge/files/upload-store.ts';
import { Database } from '../../edge/lib/sql.ts';
import { ask, faultPaths, refusal, testEnv, tokenFor } from './helpers/api.ts';

const token = tokenFor(['submit', 'read'], { sub: 'fay' });
const text = 'x,y\n1,2\n';
const etag = `"${sha256Hex(text)}"`;

function put(path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return ask('PUT', `/v1/files${path}`, { token, body, headers });
}

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return ask('GET', `/v1/files${path}`, { token, headers });
}

const filesStub = testEnv.FILES.get(testEnv.FILES.idFromName('main'));

/** Lets the object's time pass, and its alarm run. */
async function sweepAfter(ms: number): Promise<void> {
  await runInDurableObject(filesStub, (files: Files) => {
    const { clock } = files;
    files.clock = { ...clock, now: () => clock.now() + ms };
  });
  await runDurableObjectAlarm(filesStub);
}

/** Keys in the bucket. */
async function blobKeys(): Promise<string[]> {
  return ((await testEnv.BUCKET?.list())?.objects ?? []).map(({ key }) => key);
}

describe('a file', () => {
  it('comes back as it was written, under its hash', async () => {
    const written = await put('/round/trip.csv', text, { 'content-type': 'text/csv' });
    expect(written.status).toBe(201);
    expect(written.headers.get('etag')).toBe(etag);
    expect(await written.json()).toEqual({
      path: '/round/trip.csv',
      sha256: sha256Hex(text),
      bytes: text.length,
      content_type: 'text/csv',
      owner: 'fay',
      created_at: expect.stringMatching(/Z$/),
    });
    const read = await get('/round/trip.csv');
    expect(read.status).toBe(200);
    expect(Object.fromEntries(read.headers)).toMatchObject({
      etag,
      'content-type': 'text/csv',
      'content-length': String(text.length),
      'accept-ranges': 'bytes',
    });
    expect(await read.text()).toBe(text);
  });

  it('tells its headers without its bytes', async () => {
    await put('/head.csv', text);
    const head = await ask('HEAD', '/v1/files/head.csv', { token });
    expect([head.status, head.headers.get('etag'), head.headers.get('content-length')]).toEqual([200, etag, '8']);
    expect(await head.text()).toBe('');
  });

  it('may be empty', async () => {
    expect((await put('/empty', '')).status).toBe(201);
    const read = await get('/empty');
    expect([read.status, await read.text()]).toEqual([200, '']);
  });

  it('keeps names with spaces and letters of any script', async () => {
    await put('/with%20space/%C3%A4%E6%97%A5.csv', text);
    const answer = await ask('GET', '/v1/files?prefix=/with%20', { token });
    expect(await answer.json()).toMatchObject({ files: [{ path: '/with space/ä日.csv' }] });
  });

  it.each([
    ['bytes=0-2', 206, 'x,y', 'bytes 0-2/8'],
    ['bytes=4-', 206, '1,2\n', 'bytes 4-7/8'],
    ['bytes=-2', 206, '2\n', 'bytes 6-7/8'],
    ['bytes=2-2,4-5', 200, text, null],
    ['lines=1-2', 200, text, null],
  ])('gives the range %s with %d', async (range, status, body, contentRange) => {
    await put('/ranges.csv', text);
    const answer = await get('/ranges.csv', { range });
    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([
      status,
      body,
      contentRange,
    ]);
  });

  it('refuses a range behind its end with 416 and its size', async () => {
    await put('/ranges.csv', text);
    const answer = await get('/ranges.csv', { range: 'bytes=8-' });
    expect(answer.headers.get('content-range')).toBe('bytes */8');
    expect(await refusal(answer)).toMatchObject({ status: 416, code: 'range_not_satisfiable' });
  });

  it('gives the whole when If-Range names another version', async () => {
    await put('/if-range.csv', text);
    expect((await get('/if-range.csv', { range: 'bytes=0-0', 'if-range': '"other"' })).status).toBe(200);
    expect((await get('/if-range.csv', { range: 'bytes=0-0', 'if-range': etag })).status).toBe(206);
  });

  it('is not sent again to who has it', async () => {
    await put('/cached.csv', text);
    const answer = await get('/cached.csv', { 'if-none-match': `"other", ${etag}` });
    expect([answer.status, await answer.text()]).toEqual([304, '']);
    expect((await get('/cached.csv', { 'if-match': '"other"' })).status).toBe(412);
  });

  it('is replaced only if it is the version that the writer knows', async () => {
    expect((await put('/guarded', 'one', { 'if-match': '*' })).status).toBe(412);
    expect((await put('/guarded', 'one', { 'if-none-match': '*' })).status).toBe(201);
    expect((await put('/guarded', 'two', { 'if-none-match': '*' })).status).toBe(412);
    const [one, two] = ['one', 'two'].map((content) => `"${sha256Hex(content)}"`);
    expect((await put('/guarded', 'two', { 'if-match': one! })).status).toBe(200);
    expect(await refusal(await put('/guarded', 'three', { 'if-match': one! }))).toMatchObject({
      status: 412,
      code: 'precondition_failed',
      details: { current: sha256Hex('two') },
    });
    expect((await ask('DELETE', '/v1/files/guarded', { token, headers: { 'if-match': one! } })).status).toBe(412);
    expect((await ask('DELETE', '/v1/files/guarded', { token, headers: { 'if-match': two! } })).status).toBe(204);
  });

  it('lets one of two writers win that both saw the same version', async () => {
    await put('/raced', 'start');
    const guard = { 'if-match': `"${sha256Hex('start')}"` };
    const answers = await Promise.all([put('/raced', 'left', guard), put('/raced', 'right', guard)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  it('is gone after DELETE', async () => {
    await put('/gone', text);
    expect((await ask('DELETE', '/v1/files/gone', { token })).status).toBe(204);
    expect(await refusal(await get('/gone'))).toMatchObject({ status: 404, code: 'not_found' });
    expect((await ask('DELETE', '/v1/files/gone', { token })).status).toBe(404);
  });

  it.each(['/a%2F..%2Fsecret', '/..%2fsecret', '/a%5c..%5csecret', '/a//b', '/a%00b', '/%ff', '/a/'])(
    'has no path that climbs out, or is none: %s',
    async (path) => {
      for (const answer of [await put(path, text), await get(path)]) {
        expect(await refusal(answer)).toMatchObject({ status: 422, code: 'invalid_request' });
      }
    },
  );

  it('is not reached by dots that an address folds away', async () => {
    expect((await put('/../../etc/passwd', text)).status).toBe(404);
    expect((await put('/%2e%2e/tasks', text)).status).toBe(405);
    expect((await get('/a/%2e%2e/%2e%2e/%2e%2e/secret')).status).toBe(404);
  });

  it('names the fault of a path', async () => {
    expect(await faultPaths(await put('/a%2Fb', text))).toEqual(['path']);
  });

  it('belongs to its owner alone', async () => {
    await put('/mine', text);
    const stranger = tokenFor(['submit', 'read'], { sub: 'eve' });
    expect((await ask('GET', '/v1/files/mine', { token: stranger })).status).toBe(404);
    expect(await refusal(await ask('GET', '/v1/files/mine?owner=fay', { token: stranger }))).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
    for (const scope of ['work', 'admin'] as const) {
      const other = tokenFor([scope], { sub: 'worker' });
      expect(await (await ask('GET', '/v1/files/mine?owner=fay', { token: other })).text()).toBe(text);
      expect((await ask('PUT', '/v1/files/theirs?owner=fay', { token: other, body: 'made' })).status).toBeLessThan(300);
    }
    expect(await (await get('/theirs')).text()).toBe('made');
  });
});

describe('the list of files', () => {
  it('is in the order of paths, page by page, and only of the prefix', async () => {
    for (const name of ['b', 'a', 'c', 'é', 'z']) await put(`/listed/${encodeURIComponent(name)}`, name);
    await put('/listing-not', 'x');
    const seen: string[] = [];
    let cursor = '';
    do {
      const answer = await ask('GET', `/v1/files?prefix=/listed/&limit=2&cursor=${cursor}`, { token });
      const page = await answer.json<{ files: { path: string }[]; next_cursor: string | null }>();
      expect(page.files.length).toBeLessThanOrEqual(2);
      seen.push(...page.files.map(({ path }) => path));
      cursor = page.next_cursor ?? '';
    } while (cursor !== '');
    expect(seen).toEqual(['/listed/a', '/listed/b', '/listed/c', '/listed/z', '/listed/é']);
  });

  it('refuses a cursor that is none', async () => {
    expect(await faultPaths(await ask('GET', '/v1/files?cursor=%21', { token }))).toEqual(['cursor']);
  });
});

describe('an upload that breaks off', () => {
  it('leaves nothing under the name', async () => {
    const { readable, writable } = new FixedLengthStream(3000);
    const writer = writable.getWriter();
    const sending = writer.write(new Uint8Array(1000)).then(() => writer.abort(new Error('the line went dead')));
    const answer = await put('/broken', readable as unknown as BodyInit).catch(() => null);
    await sending.catch(() => undefined);
    expect(answer === null || answer.status >= 500).toBe(true);
    expect((await get('/broken')).status).toBe(404);
  });

  it('is cut off at the limit, announced or not', async () => {
    const announced = await put('/large', 'x', { 'content-length': '95000001' });
    expect(await refusal(announced)).toMatchObject({ status: 413, code: 'body_too_large' });
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1 << 20;
        controller.enqueue(new Uint8Array(1 << 20));
      },
    });
    expect(await refusal(await put('/large', endless))).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(sent).toBeLessThan(130e6);
    expect((await get('/large')).status).toBe(404);
  });
});

describe('bytes', () => {
  it('lie once for equal contents, until the last name is gone and readers have had their time', async () => {
    const before = await blobKeys();
    for (const path of ['/twin/a', '/twin/b', '/twin/a']) await put(path, 'equal contents');
    await sweepAfter(1000);
    const [key, ...others] = (await blobKeys()).filter((name) => !before.includes(name));
    expect(others).toEqual([]);
    await ask('DELETE', '/v1/files/twin/a', { token });
    await sweepAfter(2 * 3_600_000);
    expect(await (await get('/twin/b')).text()).toBe('equal contents');
    await ask('DELETE', '/v1/files/twin/b', { token });
    await sweepAfter(1000);
    expect(await blobKeys()).toContain(key);
    await sweepAfter(2 * 3_600_000);
    expect(await blobKeys()).not.toContain(key);
  });

  it('that were reserved and never came are forgotten after a day', async () => {
    const reserved = await filesStub.reserve('fay', '/never', { ifMatch: null, ifNoneMatch: null });
    const blob = reserved.ok;
    await sweepAfter(25 * 3_600_000);
    const late = await filesStub.commit(
      'fay',
      '/never',
      { blob, sha256: 'a'.repeat(64), bytes: 1, contentType: 'x' },
      {
        ifMatch: null,
        ifNoneMatch: null,
      },
    );
    expect(late).toMatchObject({ error: { code: 'conflict' } });
  });
});

describe('uploads in parts that are over', () => {
  it('are forgotten in batches, those with parts after these', async () => {
    const left = await runInDurableObject(filesStub, (_, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
         INSERT INTO uploads (id, owner, path, content_type, expires_ms) SELECT 'over-' || i, 'fay', '/over', 'x', 1 FROM n`,
      );
      storage.sql.exec(`INSERT INTO parts (upload, part, blob) SELECT 'over-1', row_number() OVER (), id FROM uploads`);
      const store = new UploadStore(new Database(storage));
      const count = (table: string) => storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one().n;
      return [1, 2, 3].map(() => {
        store.discardExpired(2, 100);
        return [count('parts'), count('uploads')];
      });
    });
    expect(left).toEqual([
      [50, 50],
      [0, 0],
      [0, 0],
    ]);
  });

  it('go by alarm, however many', async () => {
    await runInDurableObject(filesStub, (files: Files, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
         INSERT INTO uploads (id, owner, path, content_type, expires_ms) SELECT 'over-' || i, 'fay', '/over', 'x', 1 FROM n`,
      );
      // Any change sees that there is something to do.
      return files.abandon('nothing');
    });
    for (let left = 1; left > 0;) {
      await sweepAfter(1);
      left = await runInDurableObject(filesStub, (_, { storage }) =>
        Number(storage.sql.exec('SELECT count(*) AS n FROM uploads WHERE expires_ms = 1').one().n),
      );
    }
  });
});

describe('inside the edge', () => {
  it('files are read, written and deleted in whole', async () => {
    const bytes = new TextEncoder().encode('from within');
    const view = await writeFile(testEnv, 'fay', '/within', bytes, 'text/plain');
    expect(view).toMatchObject({ sha256: sha256Hex(bytes), bytes: bytes.length, content_type: 'text/plain' });
    expect(await readFile(testEnv, 'fay', '/within')).toEqual(bytes);
    await deleteFile(testEnv, 'fay', '/within');
    await deleteFile(testEnv, 'fay', '/within');
    await expect(readFile(testEnv, 'fay', '/within')).rejects.toMatchObject({ code: 'file_not_found' });
  });
});
