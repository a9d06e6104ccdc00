import { describe, expect, it } from 'vitest';
import { sha256Hex } from '#protocol';
import { ask, faultPaths, refusal, tokenFor } from './helpers/api.ts';

const token = tokenFor(['submit', 'read'], { sub: 'uma' });

async function open(path: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await ask('POST', '/v1/uploads', { token, headers, json: { path, content_type: 'text/plain' } });
  expect(answer.status).toBe(201);
  return (await answer.json<{ upload_id: string }>()).upload_id;
}

function putPart(id: string, n: number | string, body: string): Promise<Response> {
  return ask('PUT', `/v1/uploads/${id}/parts/${n}`, { token, body });
}

function complete(id: string, json: unknown = {}, headers: Record<string, string> = {}): Promise<Response> {
  return ask('POST', `/v1/uploads/${id}/complete`, { token, json, headers });
}

async function textOf(path: string): Promise<string> {
  return (await ask('GET', `/v1/files${path}`, { token })).text();
}

describe('an upload in parts', () => {
  it('becomes one file, in the order of the parts’ numbers, whatever order they came in', async () => {
    const id = await open('/parts/a.txt');
    for (const [n, body] of [
      [3, 'three'],
      [1, 'one '],
      [2, 'wrong'],
    ] as const)
      await putPart(id, n, body);
    const part = await putPart(id, 2, 'two ');
    expect(await part.json()).toEqual({ part: 2, sha256: sha256Hex('two '), bytes: 4 });
    expect((await ask('GET', '/v1/files/parts/a.txt', { token })).status).toBe(404);
    const done = await complete(id, { sha256: sha256Hex('one two three') });
    expect(done.status).toBe(201);
    expect(await done.json()).toMatchObject({
      path: '/parts/a.txt',
      bytes: 13,
      sha256: sha256Hex('one two three'),
      content_type: 'text/plain',
    });
    expect(await textOf('/parts/a.txt')).toBe('one two three');
  });

  it('tells which parts have arrived, and what it has become', async () => {
    const id = await open('/parts/b.txt');
    await putPart(id, 1, 'b');
    const view = async () => (await ask('GET', `/v1/uploads/${id}`, { token })).json();
    expect(await view()).toMatchObject({ parts: [{ part: 1, bytes: 1 }], file: null });
    await complete(id);
    expect(await view()).toMatchObject({ parts: [], file: { path: '/parts/b.txt' } });
  });

  it('is completed once: a repeat, at the same time too, answers with the same file', async () => {
    const id = await open('/parts/c.txt');
    await putPart(id, 1, 'c');
    const files = await Promise.all([complete(id), complete(id)].map(async (answer) => (await answer).json()));
    files.push(await (await complete(id)).json());
    expect(new Set(files.map((file) => JSON.stringify(file))).size).toBe(1);
    expect(await refusal(await putPart(id, 2, 'late'))).toMatchObject({ status: 409, code: 'conflict' });
  });

  it.each([[[]], [[2]], [[1, 3]]])('with the parts %j has holes', async (numbers) => {
    const id = await open('/parts/holes.txt');
    for (const n of numbers) await putPart(id, n, 'x');
    expect(await refusal(await complete(id))).toMatchObject({
      status: 409,
      code: 'conflict',
      details: { parts: numbers },
    });
  });

  it('is refused when the whole does not hash to what was expected, and can be mended', async () => {
    const id = await open('/parts/d.txt');
    await putPart(id, 1, 'wrong');
    expect(await faultPaths(await complete(id, { sha256: sha256Hex('right') }))).toEqual(['sha256']);
    expect((await ask('GET', '/v1/files/parts/d.txt', { token })).status).toBe(404);
    await putPart(id, 1, 'right');
    expect((await complete(id, { sha256: sha256Hex('right') })).status).toBe(201);
  });

  it('replaces only the version that it names', async () => {
    await ask('PUT', '/v1/files/parts/e.txt', { token, body: 'there' });
    const id = await open('/parts/e.txt');
    await putPart(id, 1, 'new');
    expect((await complete(id, {}, { 'if-none-match': '*' })).status).toBe(412);
    expect((await complete(id, {}, { 'if-match': `"${sha256Hex('there')}"` })).status).toBe(200);
  });

  it('can be given up', async () => {
    const id = await open('/parts/f.txt');
    await putPart(id, 1, 'x');
    expect((await ask('DELETE', `/v1/uploads/${id}`, { token })).status).toBe(204);
    for (const answer of [await putPart(id, 1, 'x'), await complete(id)]) expect(answer.status).toBe(404);
  });

  it('is begun once under one key', async () => {
    const key = { 'idempotency-key': 'once' };
    expect(await open('/parts/g.txt', key)).toBe(await open('/parts/g.txt', key));
    const other = await ask('POST', '/v1/uploads', { token, headers: key, json: { path: '/parts/h.txt' } });
    expect(await refusal(other)).toMatchObject({ status: 409, code: 'idempotency_conflict' });
  });

  it('is its owner’s alone', async () => {
    const id = await open('/parts/i.txt');
    const eve = tokenFor(['submit', 'read'], { sub: 'eve' });
    expect((await ask('PUT', `/v1/uploads/${id}/parts/1`, { token: eve, body: 'x' })).status).toBe(404);
  });

  it('has no path that climbs out, and no part without a number', async () => {
    for (const path of ['../x', '/a/../b', 'x', '/a\\b', '']) {
      expect(await faultPaths(await ask('POST', '/v1/uploads', { token, json: { path } }))).toEqual(['path']);
    }
    const id = await open('/parts/j.txt');
    for (const n of ['x', '-1', '1001', '1.5']) expect((await putPart(id, n, 'x')).status).toBe(404);
  });
});
