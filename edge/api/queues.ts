import { z } from 'zod';
import { findTaskType, taskTypes } from '#catalog';
import {
  invalidRequest,
  limits,
  nameSchema,
  queuePatchSchema,
  TabgridError,
  taskTypePatchSchema,
  type TaskTypeSettings,
} from '#protocol';
import type { QueueView } from '../broker/rpc.ts';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { optionFaults } from '../tasks/options.ts';
import { json } from './respond.ts';
import { route, type Route } from './route.ts';
import { askAll, sumQueues } from './shards.ts';
import { taskTypeView, type TaskTypeView } from './views.ts';

const queueParams = z.object({ name: nameSchema });

async function queueView(env: Env, name: string): Promise<QueueView> {
  const view = (await sumQueues(env)).find(({ queue }) => queue === name);
  if (view === undefined) throw new TabgridError('not_found', `there is no queue ${name}`);
  return view;
}

/** All task types as they are now: any shard knows what is set at run time. */
async function taskTypeViews(env: Env): Promise<TaskTypeView[]> {
  const config = loadConfig(env);
  const [settings = {}] = await askAll(env, (shard) => shard.taskTypeSettings());
  return taskTypes.map((type) => taskTypeView(type, config, settings[type.name] ?? null));
}

/** A soft limit over the hard one would never be heard. */
function checkTimeLimits({ soft_time_limit: soft, time_limit: hard }: Partial<TaskTypeSettings>): void {
  const faults = optionFaults({ soft_time_limit: soft ?? undefined, time_limit: hard ?? undefined });
  if (faults.length > 0) throw invalidRequest(...faults);
}

/** Queues and task types, and how tasks flow through them. */
export const queueRoutes: readonly Route[] = [
  route(
    {
      method: 'get',
      path: '/v1/queues',
      access: ['read'],
      tag: 'grid',
      summary: 'The queues, with what waits and runs in each, and what is set for them.',
      answers: { 200: { description: 'All queues.', component: 'Queues' } },
    },
    async ({ env }) => json({ queues: await sumQueues(env) }),
  ),
  route(
    {
      method: 'patch',
      path: '/v1/queues/:name',
      access: ['admin'],
      tag: 'grid',
      summary: 'Pauses a queue, limits how fast its tasks begin, or how many may wait.',
      description:
        'What is absent stays as it is; `null` lifts a limit. A queue that has had no task yet can be set up too. Over `max_length` submitting is refused with `queue_full`; what campaigns, workflows and schedules submit is taken nevertheless.',
      params: queueParams,
      body: queuePatchSchema,
      answers: { 200: { description: 'The queue as it is now.', component: 'Queue' } },
      errors: ['not_found'],
    },
    async ({ env, params: { name }, body }) => {
      await askAll(env, (shard) => shard.patchQueue(name, body));
      return json(await queueView(env, name));
    },
  ),
  route(
    {
      method: 'delete',
      path: '/v1/queues/:name/tasks',
      access: ['admin'],
      tag: 'grid',
      summary: 'Purges a queue: what waits in it ends REVOKED.',
      description:
        'With `scheduled=true` also what waits for its ETA or back-off. What runs is left alone, and so is what is submitted meanwhile.',
      params: queueParams,
      query: z.strictObject({ scheduled: z.enum(['true', 'false']).default('false') }),
      answers: { 200: { description: 'How many.', component: 'Purged' } },
      errors: ['not_found'],
    },
    async ({ env, params: { name }, query: { scheduled } }) => {
      await queueView(env, name);
      const counts = await askAll(env, (shard) => shard.purge(name, { scheduled: scheduled === 'true' }));
      return json({ queue: name, purged: counts.reduce((sum, count) => sum + count, 0) });
    },
  ),
  route(
    {
      method: 'get',
      path: '/v1/task-types',
      access: ['read'],
      tag: 'grid',
      summary: 'What can be run, with JSON Schema of arguments and results, and the limits that hold now.',
      answers: { 200: { description: 'All task types.', component: 'TaskTypes' } },
    },
    async ({ env }) => json({ task_types: await taskTypeViews(env) }),
  ),
  route(
    {
      method: 'patch',
      path: '/v1/task-types/:name',
      access: ['admin'],
      tag: 'grid',
      summary: 'Limits how fast tasks of a type begin over all workers and queues, and how long they may take.',
      description:
        'What is absent stays as it is; `null` goes back to the default. Time limits are for tasks that name none of their own, and begin from now on.',
      params: z.object({ name: z.string().max(limits.maxNameChars) }),
      body: taskTypePatchSchema,
      answers: { 200: { description: 'The task type as it is now.', component: 'TaskType' } },
      errors: ['not_found'],
    },
    async ({ env, params: { name }, body }) => {
      const type = findTaskType(name);
      if (type === undefined) throw new TabgridError('not_found', `there is no task type ${name}`);
      const before = (await taskTypeViews(env)).find((view) => view.name === type.name);
      checkTimeLimits({
        soft_time_limit: body.soft_time_limit ?? null,
        time_limit: body.time_limit === undefined ? (before?.time_limit ?? null) : body.time_limit,
      });
      await askAll(env, (shard) => shard.patchTaskType(type.name, body));
      const after = (await taskTypeViews(env)).find((view) => view.name === type.name);
      return json(after);
    },
  ),
];
