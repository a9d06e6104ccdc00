import { z } from 'zod';
import { etagOf, preconditionsOf } from '../files/preconditions.ts';
import { filesObject } from '../files/rpc.ts';
import { completeUpload, incomingOf, storePart } from '../files/transfer.ts';
import { call } from '../lib/rpc.ts';
import { contentTypeOf, ownerOf, ownerQuery, uploadTargetSchema } from './files.ts';
import { json, noContent } from './respond.ts';
import { route, type Route } from './route.ts';

const maxPartNumber = 1000;
const access = ['submit', 'work'] as const;
const tag = 'files';
const uploadParams = z.object({ id: z.string().regex(/^[0-9a-z]{26,32}$/) });

export const uploadRoutes: readonly Route[] = [
  route(
    {
      method: 'post',
      path: '/v1/uploads',
      access,
      tag,
      summary: 'Begins an upload in parts, which may come in any order and at the same time.',
      description: 'It ends after a day, complete or not.',
      query: ownerQuery,
      body: uploadTargetSchema,
      answers: { 201: { description: 'Send the parts now.', component: 'Upload' } },
      errors: ['idempotency_conflict'],
    },
    async ({ env, principal, query, body, requestKey }) => {
      const target = { path: body.path, contentType: contentTypeOf(body.content_type ?? null) };
      return json(await call(filesObject(env).openUpload(ownerOf(principal, query), target, requestKey)), 201);
    },
  ),
  route(
    {
      method: 'get',
      path: '/v1/uploads/:id',
      access,
      tag,
      summary: 'Tells which parts have arrived.',
      params: uploadParams,
      query: ownerQuery,
      answers: { 200: { description: 'The upload.', component: 'Upload' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params, query }) =>
      json(await call(filesObject(env).upload(ownerOf(principal, query), params.id))),
  ),
  route(
    {
      method: 'put',
      path: '/v1/uploads/:id/parts/:n',
      access,
      tag,
      summary: 'Sends one part of up to 95 MB; sent again, it takes the place of the earlier one.',
      params: uploadParams.extend({ n: z.coerce.number().int().min(0).max(maxPartNumber) }),
      query: ownerQuery,
      rawBody: '*/*',
      answers: { 200: { description: 'It is stored.', component: 'UploadPart' } },
      errors: ['not_found', 'conflict', 'body_too_large'],
    },
    async ({ env, request, principal, params, query }) =>
      json(await storePart(env, ownerOf(principal, query), params.id, params.n, incomingOf(request))),
  ),
  route(
    {
      method: 'post',
      path: '/v1/uploads/:id/complete',
      access,
      tag,
      summary: 'Makes one file of the parts, in the order of their numbers from 1.',
      description: 'Repeating it answers with the same file. With `sha256`, the whole must hash to that.',
      params: uploadParams,
      query: ownerQuery,
      body: z.strictObject({
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'expected a sha-256 in hex')
          .optional(),
      }),
      bodyOptional: true,
      answers: {
        200: { description: 'It took the place of another version, or was complete already.', component: 'File' },
        201: { description: 'It is new.', component: 'File' },
      },
      errors: ['not_found', 'conflict', 'precondition_failed'],
    },
    async ({ env, request, principal, params, query, body }) => {
      const owner = ownerOf(principal, query);
      const preconditions = preconditionsOf(request.headers);
      const { file, created } = await completeUpload(env, owner, params.id, body.sha256 ?? null, preconditions);
      return json(file, created ? 201 : 200, { etag: etagOf(file.sha256) });
    },
  ),
  route(
    {
      method: 'delete',
      path: '/v1/uploads/:id',
      access,
      tag,
      summary: 'Gives an upload up.',
      params: uploadParams,
      query: ownerQuery,
      answers: { 204: { description: 'It is gone.' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params, query }) => {
      await call(filesObject(env).discardUpload(ownerOf(principal, query), params.id));
      return noContent();
    },
  ),
];
