import { z } from 'zod';
import { taskTypes } from '#catalog';
import {
  controlCommands,
  jsonObjectSchema,
  TabgridError,
  workerIdSchema,
  type WorkerId,
  type WorkerView,
} from '#protocol';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { call } from '../lib/rpc.ts';
import { json } from './respond.ts';
import { route, type Route } from './route.ts';
import { allShards, askAll, sumQueues } from './shards.ts';
import { taskTypeView } from './views.ts';

/** One row for a worker, though it is connected to several shards. */
function mergeWorkers(workers: readonly WorkerView[]): WorkerView[] {
  const byId = new Map<WorkerId, WorkerView>();
  for (const worker of workers) {
    const seen = byId.get(worker.worker_id);
    byId.set(worker.worker_id, seen === undefined ? worker : addWorkers(seen, worker));
  }
  return [...byId.values()];
}

function addWorkers(a: WorkerView, b: WorkerView): WorkerView {
  const [newer, older] = a.last_heartbeat_at >= b.last_heartbeat_at ? [a, b] : [b, a];
  return {
    ...newer,
    state: a.state === 'online' || b.state === 'online' ? 'online' : 'offline',
    active: newer.active + older.active,
    succeeded: newer.succeeded + older.succeeded,
    failed: newer.failed + older.failed,
    busy_seconds: newer.busy_seconds + older.busy_seconds,
  };
}

/** Asks the shard that the worker is connected to. */
async function control(
  env: Env,
  id: WorkerId,
  command: (typeof controlCommands)[number],
  args: z.infer<typeof jsonObjectSchema>,
): Promise<unknown> {
  let fault: unknown;
  for (const shard of allShards(env)) {
    try {
      return await call(shard.control(id, command, args));
    } catch (error) {
      fault = error;
      if (!(error instanceof TabgridError) || error.code !== 'not_found') throw error;
    }
  }
  throw fault;
}

/** What the grid consists of: queues, task types, workers. */
export const gridRoutes: readonly Route[] = [
  route(
    {
      method: 'get',
      path: '/v1/queues',
      access: ['read'],
      tag: 'grid',
      summary: 'The queues, with what waits and runs in each.',
      answers: { 200: { description: 'All queues.', component: 'Queues' } },
    },
    async ({ env }) => json({ queues: await sumQueues(env) }),
  ),
  route(
    {
      method: 'get',
      path: '/v1/task-types',
      access: ['read'],
      tag: 'grid',
      summary: 'What can be run, with JSON Schema of arguments and results.',
      answers: { 200: { description: 'All task types.', component: 'TaskTypes' } },
    },
    ({ env }) => {
      const config = loadConfig(env);
      return json({ task_types: taskTypes.map((type) => taskTypeView(type, config)) });
    },
  ),
  route(
    {
      method: 'get',
      path: '/v1/workers',
      access: ['read'],
      tag: 'grid',
      summary: 'The workers, online and recently seen.',
      answers: { 200: { description: 'The worker table.', component: 'Workers' } },
    },
    async ({ env, principal }) =>
      json({ workers: mergeWorkers((await askAll(env, (shard) => shard.workers(principal))).flat()) }),
  ),
  route(
    {
      method: 'post',
      path: '/v1/workers/:id/:command',
      access: ['admin'],
      tag: 'grid',
      summary: 'Asks a worker for something, and answers with its reply.',
      description: `The commands are ${controlCommands.map((command) => `\`${command}\``).join(', ')}. The body holds the command’s arguments, such as \`{"n": 2}\` for \`grow\`.`,
      params: z.object({ id: workerIdSchema, command: z.enum(controlCommands) }),
      body: jsonObjectSchema,
      bodyOptional: true,
      answers: { 200: { description: 'The worker’s reply.', component: 'ControlReply' } },
      errors: ['not_found', 'unavailable'],
    },
    async ({ env, params: { id, command }, body }) =>
      json({ worker_id: id, reply: await control(env, id, command, body) }),
  ),
];
