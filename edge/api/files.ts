import { z } from 'zod';
import { filePathSchema, limits, owns, TabgridError, type FileView, type Principal } from '#protocol';
import { blobsOf } from '../files/blobs.ts';
import { filePathOf } from '../files/paths.ts';
import { etagOf, namesVersion, preconditionsOf } from '../files/preconditions.ts';
import { contentRange, parseRange } from '../files/ranges.ts';
import { filesObject } from '../files/rpc.ts';
import { incomingOf, storeFile } from '../files/transfer.ts';
import { call } from '../lib/rpc.ts';
import { json, noContent } from './respond.ts';
import { route, type Call, type Route } from './route.ts';

const ownerSchema = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .describe('Whose file; another’s only with the scope `work` or `admin`. Default: one’s own.');
export const ownerQuery = z.strictObject({ owner: ownerSchema });
export type OwnerQuery = z.infer<typeof ownerQuery>;

const defaultContentType = 'application/octet-stream';

/** Whose namespace a request is about. @throws TabgridError `forbidden` */
export function ownerOf(principal: Principal, query: OwnerQuery): string {
  const owner = query.owner ?? principal.sub;
  if (owns(principal, owner) || principal.scope.includes('work')) return owner;
  throw new TabgridError('forbidden', 'another owner’s files need the scope "work" or "admin"');
}

/** The path as it was sent, behind `/v1/files`; the router’s own has been unescaped. */
function pathOf(request: Request): string {
  const [, rest = ''] = /^[a-z]+:\/\/[^/]*\/[^/]*\/[^/?#]*([^?#]*)/i.exec(request.url) ?? [];
  return filePathOf(rest);
}

/** `Content-Type` as it was sent, if it can be sent back. */
export function contentTypeOf(text: string | null): string {
  return text !== null && /^[\x20-\x7e]{1,200}$/.test(text) ? text : defaultContentType;
}

function fileHeaders(file: FileView): Record<string, string> {
  return {
    etag: etagOf(file.sha256),
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'content-type': file.content_type,
    'last-modified': new Date(file.created_at).toUTCString(),
  };
}

async function readFile({ env, request, principal, query }: Call<undefined, OwnerQuery, undefined>): Promise<Response> {
  const { file, blob } = await call(filesObject(env).find(ownerOf(principal, query), pathOf(request)));
  const headers = fileHeaders(file);
  const { ifMatch, ifNoneMatch } = preconditionsOf(request.headers);
  if (ifMatch !== null && !namesVersion(ifMatch, file.sha256)) {
    throw new TabgridError('precondition_failed', 'If-Match names another version', {
      details: { current: file.sha256 },
    });
  }
  if (ifNoneMatch !== null && namesVersion(ifNoneMatch, file.sha256))
    return new Response(null, { status: 304, headers });
  const ifRange = request.headers.get('if-range');
  const wanted = ifRange === null || ifRange === etagOf(file.sha256) ? request.headers.get('range') : null;
  const range = parseRange(wanted, file.bytes);
  if (range === 'unsatisfiable') {
    throw new TabgridError('range_not_satisfiable', `the file has ${file.bytes} bytes`, {
      details: { bytes: file.bytes },
    });
  }
  const length = range === 'whole' ? file.bytes : range.length;
  const status = range === 'whole' ? 200 : 206;
  headers['content-length'] = String(length);
  if (range !== 'whole') headers['content-range'] = contentRange(range, file.bytes);
  if (request.method === 'HEAD') return new Response(null, { status, headers });
  const body = await blobsOf(env).get(blob, range === 'whole' ? undefined : range);
  if (body === null) throw new TabgridError('internal', `the bytes of ${file.path} are gone`);
  return new Response(body.pipeThrough(new FixedLengthStream(length)), { status, headers });
}

export const fileRoutes: readonly Route[] = [
  route(
    {
      method: 'get',
      path: '/v1/files',
      access: ['read', 'work'],
      tag: 'files',
      summary: 'Lists files in the order of their paths.',
      query: ownerQuery.extend({
        prefix: z.string().max(limits.maxPathChars).default(''),
        limit: z.coerce.number().int().min(1).max(limits.maxPageSize).default(limits.defaultPageSize),
        cursor: z.string().max(2000).optional(),
      }),
      answers: { 200: { description: 'A page of files.', component: 'FilePage' } },
    },
    async ({ env, principal, query }) => {
      const { prefix, limit, cursor = null } = query;
      return json(await call(filesObject(env).list(ownerOf(principal, query), { prefix, limit, cursor })));
    },
  ),
  route(
    {
      method: 'get',
      path: '/v1/files/:path{.+}',
      access: ['read', 'work'],
      tag: 'files',
      summary: 'Reads a file, or, with `HEAD`, its headers.',
      description:
        'The `ETag` is the sha-256 in quotes. One `Range` of bytes is answered with 206; `If-None-Match` saves reading a version that one has.',
      query: ownerQuery,
      answers: {
        200: { description: 'The bytes.', media: '*/*' },
        206: { description: 'The bytes of the range.', media: '*/*' },
        304: { description: 'The version that `If-None-Match` names is the present one.' },
      },
      errors: ['not_found', 'precondition_failed', 'range_not_satisfiable'],
    },
    readFile,
  ),
  route(
    {
      method: 'put',
      path: '/v1/files/:path{.+}',
      access: ['submit', 'work'],
      tag: 'files',
      summary: 'Writes a file in one piece.',
      description:
        'Up to 95 MB; larger ones go through `/v1/uploads`. The file appears when all of it has arrived. `If-Match` replaces only the version that it names, `If-None-Match: *` writes only what is not there yet.',
      query: ownerQuery,
      rawBody: '*/*',
      answers: {
        200: { description: 'It took the place of another version.', component: 'File' },
        201: { description: 'It is new.', component: 'File' },
      },
      errors: ['precondition_failed', 'body_too_large'],
    },
    async ({ env, request, principal, query }) => {
      const contentType = contentTypeOf(request.headers.get('content-type'));
      const preconditions = preconditionsOf(request.headers);
      const target = { owner: ownerOf(principal, query), path: pathOf(request), contentType, preconditions };
      const { file, created } = await storeFile(env, target, incomingOf(request));
      return json(file, created ? 201 : 200, { etag: etagOf(file.sha256) });
    },
  ),
  route(
    {
      method: 'delete',
      path: '/v1/files/:path{.+}',
      access: ['submit', 'work'],
      tag: 'files',
      summary: 'Deletes a file; with `If-Match`, only the version that it names.',
      query: ownerQuery,
      answers: { 204: { description: 'It is gone.' } },
      errors: ['not_found', 'precondition_failed'],
    },
    async ({ env, request, principal, query }) => {
      const preconditions = preconditionsOf(request.headers);
      await call(filesObject(env).remove(ownerOf(principal, query), pathOf(request), preconditions));
      return noContent();
    },
  ),
];

/** For uploads, whose target stands in a body. */
export const uploadTargetSchema = z.strictObject({
  path: filePathSchema,
  content_type: z.string().max(200).optional(),
});
