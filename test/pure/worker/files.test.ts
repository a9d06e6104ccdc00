import { describe, expect, it } from 'vitest';
import { sha256Hex, TabgridError } from '#protocol';
import { HttpFiles, type HttpFilesOptions } from '../../../client/worker/index.ts';
import { FakeClock } from './fakes.ts';

/** A server of files that a test may slow down, break, or change. */
class FakeServer {
  readonly files = new Map<string, Uint8Array>();
  readonly requests: { method: string; url: string; status: number; headers: Headers }[] = [];
  /** Statuses to answer with before anything else; 0 is a lost connection. */
  faults: number[] = [];
  /** Answers that end before their last byte. */
  breakOff = 0;
  hold: Promise<void> | null = null;
  aborted = 0;

  readonly fetch: typeof fetch = async (input, init) => {
    const url = (input as URL).href;
    const headers = new Headers(init?.headers);
    const signal = init?.signal;
    const onAbort = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => {
        this.aborted++;
        reject(signal.reason as Error);
      });
    });
    await Promise.race([this.hold, onAbort]);
    const fault = this.faults.shift();
    const response =
      fault === undefined ? this.#answer(init?.method ?? 'GET', url, headers, init?.body) : refusal(fault);
    this.requests.push({ method: init?.method ?? 'GET', url, status: response?.status ?? 0, headers });
    if (!response) throw new TypeError('fetch failed');
    return response;
  };

  #answer(method: string, url: string, headers: Headers, body: unknown): Response {
    const path = decodeURIComponent(new URL(url).pathname.slice('/v1/files'.length));
    if (method === 'PUT') {
      const bytes = body as Uint8Array;
      this.files.set(path, bytes);
      return Response.json({ path, sha256: sha256Hex(bytes), bytes: bytes.length });
    }
    const bytes = this.files.get(path);
    if (!bytes) return refusal(404)!;
    const etag = `"${sha256Hex(bytes)}"`;
    const wanted = headers.get('if-match');
    if (wanted !== null && wanted !== etag) return refusal(412)!;
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.get('range') ?? '');
    if (range !== null) {
      const span = bytes.slice(Number(range[1]), Number(range[2]) + 1);
      return new Response(span, { status: 206, headers: { etag } });
    }
    if (headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers: { etag } });
    if (this.breakOff-- > 0) {
      const broken = new ReadableStream({
        start: (controller) => controller.error(new TypeError('terminated')),
      });
      return new Response(broken, { headers: { etag } });
    }
    return new Response(bytes.slice(), { headers: { etag } });
  }
}

function refusal(status: number): Response | null {
  if (status === 0) return null;
  const codes: Record<number, string> = { 403: 'forbidden', 404: 'not_found', 412: 'precondition_failed' };
  const code = codes[status] ?? 'unavailable';
  return Response.json({ error: { code, message: 'no' } }, { status });
}

function setup(overrides: Partial<HttpFilesOptions> = {}) {
  const server = new FakeServer();
  const clock = new FakeClock();
  const files = new HttpFiles({
    url: 'https://grid.example',
    token: () => 'secret',
    fetch: server.fetch,
    clock,
    cacheBytes: 100,
    ...overrides,
  });
  /** Lets time pass until the work is done. */
  const patiently = async <T>(work: Promise<T>): Promise<T> => {
    let isOver = false;
    const hasEnded = () => isOver;
    const end = () => (isOver = true);
    work.then(end, end);
    for (;;) {
      if (hasEnded()) return work;
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { server, files, patiently };
}

const never = new AbortController().signal;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

describe('files over HTTP', () => {
  it('are asked for under their owner, with the token in the header', async () => {
    const { server, files } = setup();
    server.files.set('/data/ä b.csv', bytes('x'));
    expect(text(await files.read('alice@lab', '/data/ä b.csv', never))).toBe('x');
    expect(server.requests[0]).toMatchObject({
      method: 'GET',
      url: 'https://grid.example/v1/files/data/%C3%A4%20b.csv?owner=alice%40lab',
    });
    expect(server.requests[0]?.headers.get('authorization')).toBe('Bearer secret');
  });

  it('are transferred again only when they have changed', async () => {
    const { server, files } = setup();
    server.files.set('/a', bytes('one'));
    await files.read('o', '/a', never);
    expect(text(await files.read('o', '/a', never))).toBe('one');
    server.files.set('/a', bytes('two'));
    expect(text(await files.read('o', '/a', never))).toBe('two');
    expect(server.requests.map(({ status }) => status)).toEqual([200, 304, 200]);
  });

  it('give parts of their records, of the version that is meant', async () => {
    const { server, files } = setup();
    const part = async (path: string, from: number, to: number) => {
      const sha256 = sha256Hex(server.files.get(path)!);
      return text(await files.records('o', path, { from, to, sha256 }, never));
    };
    server.files.set('/t.csv', bytes('\ufeffx,y\r\n1,"a\n"\r\n\r\n2,b\r\n3,c'));
    expect(await part('/t.csv', 1, 3)).toBe('x,y\n2,b\r\n3,c');
    expect(await part('/t.csv', 0, 1)).toBe('x,y\n1,"a\n"\r\n\r\n');
    server.files.set('/lines', bytes('1\n\n2\n3\n'));
    expect([await part('/lines', 0, 1), await part('/lines', 1, 3)]).toEqual(['1\n\n', '2\n3\n']);
    expect(server.requests.map(({ status }) => status)).toEqual([200, 200]);
    await expect(part('/lines', 1, 4)).rejects.toMatchObject({ code: 'invalid_input' });
    const changed = files.records('o', '/lines', { from: 0, to: 1, sha256: 'ff' }, never);
    await expect(changed).rejects.toMatchObject({ code: 'precondition_failed' });
  });

  it('give parts of their records one by one where the whole is too large to be kept', async () => {
    const { server, files } = setup({ cacheBytes: 1000 });
    const rows = Array.from({ length: 1000 }, (_, k) => `${k},"row\n${k}"\r\n`);
    server.files.set('/t.csv', bytes(`x,y\r\n${rows.join('')}`));
    const sha256 = sha256Hex(server.files.get('/t.csv')!);
    for (const [from, to] of [
      [0, 1],
      [63, 65],
      [64, 128],
      [130, 131],
      [999, 1000],
    ] as const) {
      const found = text(await files.records('o', '/t.csv', { from, to, sha256 }, never));
      expect(found).toBe(`x,y\n${rows.slice(from, to).join('')}`);
    }
    expect(server.requests.map(({ status }) => status)).toEqual([200, 206, 206, 206, 206, 206]);
  });

  it('of two owners are two files', async () => {
    const { server, files } = setup();
    server.files.set('/a', bytes('one'));
    await files.read('o', '/a', never);
    await files.read('p', '/a', never);
    expect(server.requests.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('are kept up to a number of bytes, those used last', async () => {
    const { server, files } = setup({ cacheBytes: 25 });
    for (const name of ['/a', '/b', '/c']) server.files.set(name, bytes(`${name} 34567890`));
    server.files.set('/large', bytes('x'.repeat(1000)));
    for (const name of ['/a', '/b', '/a', '/c', '/a', '/b', '/large', '/large', '/a'])
      await files.read('o', name, never);
    expect(server.requests.map(({ status }) => status)).toEqual([200, 200, 304, 200, 304, 200, 200, 200, 304]);
  });

  it('that several threads want at a time are transferred once', async () => {
    const { server, files } = setup();
    server.files.set('/a', bytes('one'));
    const all = await Promise.all([1, 2, 3].map(() => files.read('o', '/a', never)));
    expect(all.map(text)).toEqual(['one', 'one', 'one']);
    expect(server.requests.length).toBe(1);
  });

  it('are written as a whole', async () => {
    const { server, files } = setup();
    expect(await files.write('o', '/out', bytes('result'), 'text/plain', never)).toEqual({
      path: '/out',
      sha256: sha256Hex('result'),
    });
    expect(server.requests[0]?.headers.get('content-type')).toBe('text/plain');
  });

  it('are tried again while the network or the edge fails', async () => {
    const { server, files, patiently } = setup();
    server.files.set('/a', bytes('one'));
    server.faults = [0, 503, 500, 0];
    expect(text(await patiently(files.read('o', '/a', never)))).toBe('one');
    expect(server.requests.length).toBe(5);
  });

  it('whose transfer breaks off in the middle are transferred again', async () => {
    const { server, files, patiently } = setup();
    server.files.set('/a', bytes('one'));
    server.breakOff = 2;
    expect(text(await patiently(files.read('o', '/a', never)))).toBe('one');
    expect(server.requests.length).toBe(3);
  });

  it('are given up at last as unavailable, which another attempt may mend', async () => {
    const { server, files, patiently } = setup({ maxRetries: 3 });
    server.faults = Array.from({ length: 10 }, () => 0);
    await expect(patiently(files.read('o', '/a', never))).rejects.toMatchObject({ code: 'unavailable' });
    expect(server.requests.length).toBe(4);
  });

  it.each([
    [404, 'file_not_found'],
    [403, 'forbidden'],
  ])('that the edge refuses with %i are not asked for again', async (status, code) => {
    const { server, files } = setup();
    server.faults = [status];
    await expect(files.read('o', '/a', never)).rejects.toMatchObject({ code });
    expect(server.requests.length).toBe(1);
  });

  it('are not waited for by those who are stopped, and not transferred when nobody waits', async () => {
    const { server, files } = setup();
    server.files.set('/a', bytes('one'));
    let release: () => void = () => undefined;
    server.hold = new Promise((resolve) => (release = resolve));
    const [first, second] = [new AbortController(), new AbortController()];
    const reads = [files.read('o', '/a', first.signal), files.read('o', '/a', second.signal)] as const;
    first.abort(new TabgridError('revoked', 'stop'));
    await expect(reads[0]).rejects.toMatchObject({ code: 'revoked' });
    expect(server.aborted).toBe(0);
    release();
    expect(text(await reads[1])).toBe('one');

    server.hold = new Promise(() => undefined);
    const third = new AbortController();
    const read = files.read('o', '/a', third.signal);
    third.abort(new TabgridError('revoked', 'stop'));
    await expect(read).rejects.toMatchObject({ code: 'revoked' });
    expect(server.aborted).toBe(1);
  });

  it('that are too large for one request are refused before they are sent', async () => {
    const { server, files } = setup();
    const large = new Uint8Array(95_000_001);
    await expect(files.write('o', '/a', large, 'x', never)).rejects.toMatchObject({ code: 'body_too_large' });
    expect(server.requests).toEqual([]);
  });
});
