import { applyHeaderRules, parseHeadersFile, type HeaderRule } from './headers-file.ts';
import { candidatesFor, contentTypeOf } from './page-paths.ts';

/** A service of workerd, as far as it is used here. */
interface Service {
  fetch(url: string, init?: { method: string }): Promise<Response>;
}

/** What `ASSETS` does on Cloudflare, on top of workerd’s disk service: page names without `.html`, content types, `_headers`, 304. */
const assets = {
  async fetch(request: Request, { PAGES }: { PAGES: Service }): Promise<Response> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response('Method not allowed\n', { status: 405, headers: { allow: 'GET, HEAD' } });
    }
    const { pathname } = new URL(request.url);
    const rules = await headerRules(PAGES);
    for (const path of candidatesFor(pathname)) {
      const file = await PAGES.fetch(`http://pages${path}`, { method: request.method });
      // A folder is answered with a listing in JSON, a file always as octets.
      if (file.status === 200 && file.headers.get('content-type') === 'application/octet-stream') {
        return page(request, pathname, path, file, rules);
      }
      await file.body?.cancel();
    }
    const headers = new Headers({ 'content-type': 'text/plain; charset=utf-8' });
    applyHeaderRules(rules, pathname, headers);
    return new Response('Not found\n', { status: 404, headers });
  },
};

function page(
  request: Request,
  pathname: string,
  path: string,
  file: Response,
  rules: readonly HeaderRule[],
): Response {
  const modified = file.headers.get('last-modified') ?? '';
  const size = file.headers.get('content-length') ?? '';
  const etag = `W/"${size}-${Date.parse(modified) || 0}"`;
  const headers = new Headers({
    'content-type': contentTypeOf(path),
    'cache-control': 'public, max-age=0, must-revalidate',
    etag,
  });
  applyHeaderRules(rules, pathname, headers);
  if (request.headers.get('if-none-match') === etag) {
    void file.body?.cancel();
    return new Response(null, { status: 304, headers });
  }
  if (size !== '') headers.set('content-length', size);
  return new Response(file.body, { headers });
}

async function headerRules(pages: Service): Promise<HeaderRule[]> {
  const file = await pages.fetch('http://pages/_headers');
  const text = await file.text();
  return file.status === 200 ? parseHeadersFile(text) : [];
}

// eslint-disable-next-line no-restricted-exports -- workerd looks for a module’s default export
export default assets;
