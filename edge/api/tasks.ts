import { z } from 'zod';
import { limits, shardOf, signatureSchema, taskIdSchema, type Signature } from '#protocol';
import { brokerShard, type NewTask } from '../broker/rpc.ts';
import { loadConfig } from '../config.ts';
import { call } from '../lib/rpc.ts';
import { prepare, prepareEach } from '../tasks/prepare.ts';
import { json } from './respond.ts';
import { definedMembers, route, type Route } from './route.ts';
import { listTasks } from './shards.ts';
import { submitTasks } from './submission.ts';
import { listTasksQuery, taskQueryOf } from './task-filter.ts';

const tag = 'tasks';
const taskParams = z.object({ id: taskIdSchema });

export const taskRoutes: readonly Route[] = [
  route(
    {
      method: 'post',
      path: '/v1/tasks',
      access: ['submit'],
      tag,
      summary: 'Submits one task, or up to 1,000 at once: all of them, or none if one does not fit.',
      description:
        'The answer comes when the tasks are durable. Durations are in seconds. `GET /v1/task-types` tells which tasks there are and what they take.',
      body: z.union([signatureSchema, z.array(signatureSchema).min(1).max(limits.maxTasksPerRequest)]),
      answers: { 202: { description: 'Accepted; for a list, in its order.', component: 'Submitted' } },
      errors: ['unknown_task', 'invalid_arguments', 'idempotency_conflict', 'queue_full'],
    },
    async ({ env, clock, principal, body, requestKey }) => {
      const context = { owner: principal.sub, nowMs: clock.now(), config: loadConfig(env) };
      const one = (signature: Signature): NewTask => prepare(signature, context);
      const tasks = Array.isArray(body) ? prepareEach(body, one) : [one(body)];
      const submitted = await submitTasks(env, clock, principal, tasks, requestKey);
      return json(Array.isArray(body) ? { tasks: submitted } : submitted[0], 202);
    },
  ),
  route(
    {
      method: 'get',
      path: '/v1/tasks',
      access: ['read'],
      tag,
      summary: 'Lists one’s own tasks, newest first unless `order` says `oldest`; with the scope `admin`, everyone’s.',
      query: listTasksQuery,
      answers: {
        200: { description: 'A page; one may be short although more follow.', component: 'TaskPage' },
      },
    },
    async ({ env, principal, query: { limit, cursor, order, ...filter } }) =>
      json(await listTasks(env, principal, { ...taskQueryOf(filter), ...definedMembers({ limit, cursor, order }) })),
  ),
  route(
    {
      method: 'get',
      path: '/v1/tasks/:id',
      access: ['read'],
      tag,
      summary: 'The task as it is, or, with `wait`, once it is final or the seconds have passed.',
      params: taskParams,
      query: z.strictObject({ wait: z.coerce.number().min(0).max(limits.maxWaitSeconds).default(0) }),
      answers: { 200: { description: 'The task.', component: 'Task' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params: { id }, query: { wait } }) => {
      const shard = brokerShard(env, shardOf(id));
      return json(await call(wait === 0 ? shard.get(principal, id) : shard.wait(principal, id, wait)));
    },
  ),
  route(
    {
      method: 'post',
      path: '/v1/tasks/:id/revoke',
      access: ['submit'],
      tag,
      summary:
        'Revokes a task: it does not begin, or no attempt follows the present one; with `terminate` that one is stopped too.',
      description: 'A final task stays as it is. Repeating it changes nothing.',
      params: taskParams,
      body: z.strictObject({ terminate: z.boolean().default(false) }),
      bodyOptional: true,
      answers: { 200: { description: 'The task.', component: 'Task' } },
      errors: ['not_found'],
    },
    async ({ env, principal, params: { id }, body }) =>
      json(await call(brokerShard(env, shardOf(id)).revoke(principal, id, body.terminate))),
  ),
  route(
    {
      method: 'post',
      path: '/v1/tasks/:id/retry',
      access: ['submit'],
      tag,
      summary: 'Runs a final task again, as a new one with `retry_of`.',
      params: taskParams,
      body: z.strictObject({}),
      bodyOptional: true,
      answers: { 202: { description: 'Accepted.', component: 'Submitted' } },
      errors: ['not_found', 'conflict', 'idempotency_conflict'],
    },
    async ({ env, principal, params: { id }, requestKey }) =>
      json(await call(brokerShard(env, shardOf(id)).retry(principal, id, requestKey ?? undefined)), 202),
  ),
];
