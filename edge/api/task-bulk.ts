import { z } from 'zod';
import { finalStates, limits } from '#protocol';
import type { BrokerApi } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { readCursor, writeCursor } from '../lib/cursor.ts';
import { call, type Reply } from '../lib/rpc.ts';
import { json } from './respond.ts';
import { route, type Route } from './route.ts';
import { allShards } from './shards.ts';
import { narrows, taskFilterShape, taskQueryOf } from './task-filter.ts';

const tag = 'tasks';

/** Where a request that goes from shard to shard has come to: a shard, and its own cursor. */
type Place = [shard: number, cursor: string | null];

/** Calls of shards in one request: what is left is the next one’s, so that no request takes long. */
const maxCalls = 10;

const needsFilter = { message: `expected at least one of ${Object.keys(taskFilterShape).join(', ')}` };

const revokeBody = z
  .strictObject({ ...taskFilterShape, terminate: z.boolean().default(false), cursor: z.string().max(2000).optional() })
  .refine(narrows, needsFilter);

const retryBody = z
  .strictObject({
    ...taskFilterShape,
    limit: z.int().min(1).max(limits.maxPageSize).default(limits.defaultPageSize),
    cursor: z.string().max(2000).optional(),
  })
  .refine(narrows, needsFilter)
  .refine(
    ({ state = 'FAILURE' }) => [state].flat().every((each) => (finalStates as readonly string[]).includes(each)),
    {
      path: ['state'],
      message: `expected final states: ${finalStates.join(', ')}`,
    },
  );

/**
 * Does something to tasks of all shards, one shard after the other.
 * @param step does a part of it and tells where it has come to; it is asked no more once it `isEnough`.
 * @returns the cursor of the next request; null when all is done.
 */
async function walk(
  env: Env,
  cursor: string | undefined,
  step: Step,
  isEnough: () => boolean = () => false,
): Promise<string | null> {
  const shards = allShards(env);
  const isPlace = (value: unknown): value is Place =>
    Array.isArray(value) &&
    typeof value[0] === 'number' &&
    shards[value[0]] !== undefined &&
    (value[1] === null || typeof value[1] === 'string');
  let place: Place | null = cursor === undefined ? [0, null] : readCursor(cursor, isPlace);
  for (let calls = 0; calls < maxCalls && place !== null && !isEnough(); calls++) {
    place = await onwards(place, shards, step);
  }
  return place === null ? null : writeCursor(place);
}

type Step = (shard: BrokerApi, cursor: string | null) => Promise<Reply<{ next_cursor: string | null }>>;

/** One call; then the same shard again, the next one, or none. */
async function onwards([index, cursor]: Place, shards: readonly BrokerApi[], step: Step): Promise<Place | null> {
  const shard = shards[index];
  if (shard === undefined) return null;
  const { next_cursor: next } = await call(step(shard, cursor));
  if (next !== null) return [index, next];
  return index + 1 < shards.length ? [index + 1, null] : null;
}

/** What is done to many tasks at once. */
export const taskBulkRoutes: readonly Route[] = [
  route(
    {
      method: 'post',
      path: '/v1/tasks/revoke',
      access: ['submit'],
      tag,
      summary: 'Revokes all tasks that a filter describes: by label, type, queue, state, time …',
      description:
        'At least one member of the filter is needed. What was submitted before the request is met, newest first; what comes meanwhile is left alone. `revoked` counts what changed. Repeat it with `next_cursor` until that is null.',
      body: revokeBody,
      answers: { 200: { description: 'How many.', component: 'BulkRevoked' } },
    },
    async ({ env, principal, body: { terminate, cursor, ...filter } }) => {
      const query = taskQueryOf(filter);
      let revoked = 0;
      const next = await walk(env, cursor, async (shard, at) => {
        const reply = await shard.revokeMany(principal, query, terminate, at);
        if ('ok' in reply) revoked += reply.ok.revoked;
        return reply;
      });
      return json({ revoked, next_cursor: next });
    },
  ),
  route(
    {
      method: 'post',
      path: '/v1/tasks/retry',
      access: ['submit'],
      tag,
      summary: 'Runs dead tasks that a filter describes again, each as a new one with `retry_of`.',
      description:
        'Those that failed, unless `state` names other final states. A task is run again once only by this route: a repeat answers with the new task of the first time. Repeat it with `next_cursor` until that is null. Campaigns and workflows are not run again.',
      body: retryBody,
      answers: { 202: { description: 'The new tasks of this page.', component: 'BulkRetried' } },
      errors: ['queue_full'],
    },
    async ({ env, principal, body: { limit, cursor, ...filter } }) => {
      const query = taskQueryOf(filter);
      const tasks: object[] = [];
      const step: Step = async (shard, at) => {
        const reply = await shard.retryMany(principal, query, at, limit - tasks.length);
        if ('ok' in reply) tasks.push(...reply.ok.tasks);
        return reply;
      };
      const next = await walk(env, cursor, step, () => tasks.length >= limit);
      return json({ tasks, next_cursor: next }, 202);
    },
  ),
];
