import { describe, expect, it } from 'vitest';
import { applyHeaderRules, parseHeadersFile } from '../../../client/cli/serve/assets/headers-file.ts';
import { candidatesFor, contentTypeOf } from '../../../client/cli/serve/assets/page-paths.ts';
import assets from '../../../client/cli/serve/assets/worker.ts';

const files: Readonly<Record<string, string>> = {
  '/index.html': '<h1>grid</h1>',
  '/about.html': 'about',
  '/dashboard/index.html': 'dashboard',
  '/assets/main-1.js': 'export {}',
  '/_headers': '/*\n  X-All: yes\n/assets/*\n  Cache-Control: immutable\n',
};

/** workerd’s disk service, as far as it is used. */
const PAGES = {
  fetch: (url: string): Promise<Response> => {
    const path = new URL(url).pathname;
    const content = files[path];
    if (content !== undefined) {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(content.length),
        'last-modified': 'Tue, 01 Jan 2030 00:00:00 GMT',
      };
      return Promise.resolve(new Response(content, { headers }));
    }
    const isFolder = Object.keys(files).some((name) => name.startsWith(`${path}/`));
    return Promise.resolve(
      isFolder
        ? new Response('[]', { headers: { 'content-type': 'application/json' } })
        : new Response('', { status: 404 }),
    );
  },
};

const get = (path: string, init?: RequestInit): Promise<Response> =>
  assets.fetch(new Request(`http://localhost${path}`, init), { PAGES });

describe('pages', () => {
  it.each([
    ['/', '<h1>grid</h1>', 'text/html; charset=utf-8'],
    ['/about', 'about', 'text/html; charset=utf-8'],
    ['/dashboard', 'dashboard', 'text/html; charset=utf-8'],
    ['/dashboard/', 'dashboard', 'text/html; charset=utf-8'],
    ['/assets/main-1.js', 'export {}', 'text/javascript; charset=utf-8'],
  ])('answers %s', async (path, content, type) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(content);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.headers.get('x-all')).toBe('yes');
  });

  it.each(['/missing', '/assets', '/assets/', '/_headers'])('has nothing at %s', async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(response.headers.get('x-all')).toBe('yes');
  });

  it('replaces a header that it would set itself by the rule’s', async () => {
    expect((await get('/')).headers.get('cache-control')).toBe('public, max-age=0, must-revalidate');
    expect((await get('/assets/main-1.js')).headers.get('cache-control')).toBe('immutable');
  });

  it('answers 304 to whoever has the page already', async () => {
    const etag = (await get('/')).headers.get('etag') ?? '';
    const again = await get('/', { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });

  it('takes nothing but GET and HEAD', async () => {
    expect((await get('/', { method: 'POST' })).status).toBe(405);
    expect((await get('/', { method: 'HEAD' })).status).toBe(200);
  });
});

describe('a _headers file', () => {
  const applied = (text: string, path: string): Record<string, string> => {
    const headers = new Headers({ 'x-old': '1' });
    applyHeaderRules(parseHeadersFile(text), path, headers);
    return Object.fromEntries(headers);
  };

  it('joins what two rules say of one header', () => {
    expect(applied('/*\n  X-A: 1\n/b\n  X-A: 2\n', '/b')).toEqual({ 'x-old': '1', 'x-a': '1, 2' });
  });

  it('removes a header', () => expect(applied('/*\n  ! X-Old\n', '/b')).toEqual({}));

  it('knows placeholders, and ignores comments and lines without a rule', () => {
    const text = '  X-Lost: 1\n# note\n/users/:name\n  X-User: 1\n';
    expect(applied(text, '/users/ann')).toEqual({ 'x-old': '1', 'x-user': '1' });
    expect(applied(text, '/users/ann/more')).toEqual({ 'x-old': '1' });
  });

  it('takes dots literally', () => expect(applied('/a.js\n  X-A: 1\n', '/abjs')).toEqual({ 'x-old': '1' }));
});

describe('paths', () => {
  it('never names the rules’ own file', () => expect(candidatesFor('/_headers')).toEqual([]));
  it('calls unknown endings octets', () => expect(contentTypeOf('/a.bin')).toBe('application/octet-stream'));
});
