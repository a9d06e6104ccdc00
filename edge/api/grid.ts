import { z } from 'zod';
import { controlCommands, jsonObjectSchema, TabgridError, workerIdSchema, type WorkerId } from '#protocol';
import type { ShardHoldings } from '../broker/rpc.ts';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { call } from '../lib/rpc.ts';
import { monitor } from '../monitor/rpc.ts';
import { json } from './respond.ts';
import { route, type Route } from './route.ts';
import { allShards, askAll } from './shards.ts';

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

function isDrained({ unfinished, has_unsent: hasUnsent }: ShardHoldings): boolean {
  return unfinished === 0 && !hasUnsent;
}

/** The workers, and the shards that they are connected to. */
export const gridRoutes: readonly Route[] = [
  route(
    {
      method: 'get',
      path: '/v1/workers',
      access: ['read'],
      tag: 'grid',
      summary: 'The workers, online and recently seen.',
      answers: { 200: { description: 'The worker table.', component: 'Workers' } },
    },
    async ({ env }) => json({ workers: await call(monitor(env).workers()) }),
  ),
  route(
    {
      method: 'get',
      path: '/v1/shards',
      access: ['admin'],
      tag: 'grid',
      summary: 'The Broker shards: whether each takes new tasks, and what it still has.',
      description:
        'A shard in `drainingShards` is `draining`, and `drained` once it has no task that is not final and no message to send. It may be taken away when it is also without tasks (`has_tasks`), or their results are no longer wanted.',
      answers: { 200: { description: 'The shards, by their numbers.', component: 'Shards' } },
    },
    async ({ env }) => {
      const { drainingShards } = loadConfig(env);
      const holdings = await askAll(env, (shard) => shard.holdings());
      const shards = holdings.map((held, shard) => ({
        shard,
        state: drainingShards.includes(shard) ? (isDrained(held) ? 'drained' : 'draining') : 'active',
        ...held,
      }));
      return json({ shards });
    },
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
