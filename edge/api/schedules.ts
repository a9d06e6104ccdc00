import { z } from 'zod';
import {
  faultsOf,
  invalidRequest,
  isAdmin,
  limits,
  owns,
  scheduleNameSchema,
  scheduleSpecSchema,
  TabgridError,
  type Principal,
} from '#protocol';
import { beat, type Versioned } from '../beat/rpc.ts';
import { etagOf, preconditionsOf } from '../files/preconditions.ts';
import { call } from '../lib/rpc.ts';
import { json, noContent } from './respond.ts';
import { route, type Route } from './route.ts';

const tag = 'schedules';
const scheduleParams = z.object({ name: scheduleNameSchema });

const ownerQuery = z.strictObject({
  owner: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Whose schedule; another’s only with the scope `admin`. Default: one’s own.'),
});

/** Whose schedules a request is about. @throws TabgridError `forbidden` */
function ownerOf(principal: Principal, owner = principal.sub): string {
  if (owns(principal, owner)) return owner;
  throw new TabgridError('forbidden', 'another owner’s schedules need the scope "admin"');
}

function answer({ schedule, version }: Versioned, status = 200): Response {
  return json(schedule, status, { etag: etagOf(version) });
}

export const scheduleRoutes: readonly Route[] = [
  route(
    {
      method: 'get',
      path: '/v1/schedules',
      access: ['read'],
      tag,
      summary: 'Lists one’s own schedules by name, without their arguments; with the scope `admin`, everyone’s.',
      query: ownerQuery.extend({
        limit: z.coerce.number().int().min(1).max(limits.maxPageSize).default(limits.defaultPageSize),
        cursor: z.string().max(2000).optional(),
      }),
      answers: { 200: { description: 'A page of schedules.', component: 'SchedulePage' } },
    },
    async ({ env, principal, query: { owner, limit, cursor = null } }) => {
      const whose = owner === undefined && isAdmin(principal) ? null : ownerOf(principal, owner);
      return json(await call(beat(env).list(whose, { limit, cursor })));
    },
  ),
  route(
    {
      method: 'put',
      path: '/v1/schedules/:name',
      access: ['submit'],
      tag,
      summary: 'Makes a schedule, or replaces the one of that name.',
      description:
        'What it has run stays. The signature is checked as `POST /v1/tasks` checks it. With `enabled: false` it pauses. `If-Match` replaces only the version that it names, `If-None-Match: *` makes only what is not there yet.',
      params: z.object({ name: z.string() }),
      query: ownerQuery,
      body: scheduleSpecSchema,
      answers: {
        200: { description: 'It took the place of another version.', component: 'Schedule' },
        201: { description: 'It is new.', component: 'Schedule' },
      },
      errors: ['unknown_task', 'invalid_arguments', 'conflict', 'precondition_failed'],
    },
    async ({ env, request, principal, params, query, body }) => {
      const name = scheduleNameSchema.safeParse(params.name);
      if (!name.success) {
        throw invalidRequest(...faultsOf(name.error).map(({ message }) => ({ path: 'name', message })));
      }
      const preconditions = preconditionsOf(request.headers);
      const put = await call(beat(env).put(ownerOf(principal, query.owner), name.data, body, preconditions));
      return answer(put, put.created ? 201 : 200);
    },
  ),
  route(
    {
      method: 'get',
      path: '/v1/schedules/:name',
      access: ['read'],
      tag,
      summary: 'The schedule, with its last run and its next ones.',
      params: scheduleParams,
      query: ownerQuery,
      answers: { 200: { description: 'The schedule.', component: 'Schedule' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params: { name }, query: { owner } }) =>
      answer(await call(beat(env).find(ownerOf(principal, owner), name))),
  ),
  route(
    {
      method: 'delete',
      path: '/v1/schedules/:name',
      access: ['submit'],
      tag,
      summary: 'Deletes a schedule; with `If-Match`, only the version that it names. Its tasks go on.',
      params: scheduleParams,
      query: ownerQuery,
      answers: { 204: { description: 'It is gone.' } },
      errors: ['not_found', 'precondition_failed'],
    },
    async ({ env, request, principal, params: { name }, query: { owner } }) => {
      await call(beat(env).remove(ownerOf(principal, owner), name, preconditionsOf(request.headers)));
      return noContent();
    },
  ),
  route(
    {
      method: 'post',
      path: '/v1/schedules/:name/run',
      access: ['submit'],
      tag,
      summary: 'Submits the schedule’s task now, whether it pauses or not; its ticks come as before.',
      params: scheduleParams,
      query: ownerQuery,
      body: z.strictObject({}),
      bodyOptional: true,
      answers: { 202: { description: 'Accepted.', component: 'Submitted' } },
      errors: ['not_found', 'unknown_task', 'invalid_arguments', 'idempotency_conflict'],
    },
    async ({ env, principal, params: { name }, query: { owner }, requestKey }) => {
      const request = requestKey === null ? null : { ...requestKey, sub: principal.sub };
      return json(await call(beat(env).run(ownerOf(principal, owner), name, request)), 202);
    },
  ),
];
