import { z } from 'zod';
import {
  controlCommands,
  inspectViews,
  invalidRequest,
  jsonObjectSchema,
  limits,
  shardOf,
  TabgridError,
  taskIdSchema,
  type ControlCommand,
  type InspectView,
  type Json,
  type JsonObject,
  type Principal,
  type TaskId,
  type TaskView,
  type WorkerId,
  type WorkerView,
} from '#protocol';
import { brokerShard, type InspectedView } from '../broker/rpc.ts';
import { loadConfig } from '../config.ts';
import type { Env } from '../env.ts';
import { call } from '../lib/rpc.ts';
import { monitor } from '../monitor/rpc.ts';
import { json } from './respond.ts';
import { route, type Route } from './route.ts';
import { allShards } from './shards.ts';
import { matchTargets } from './targets.ts';

const tag = 'workers';
const targets = z.string().min(1).max(limits.maxNameChars);
const timeout = z.coerce
  .number()
  .min(0.1)
  .max(limits.maxWaitSeconds)
  .optional()
  .describe('Seconds to wait for answers.');

/** Answers of workers, and who gave none. */
interface Answers {
  /** `worker_id` is null for what waits in the broker. */
  replies: ({ worker_id: WorkerId | null; name: string | null } & ({ reply: Json | TaskView[] } | { error: string }))[];
  /** Ids of connected workers that did not answer in time. */
  silent: WorkerId[];
  /** What was asked for and is no worker’s id or name. */
  unknown: string[];
}

/** Asks workers themselves: all that are connected, or those that are named. A worker with sockets to several shards is asked once. */
async function askWorkers(
  env: Env,
  command: ControlCommand,
  args: JsonObject,
  wanted: readonly string[] | undefined,
  timeoutSeconds: number | undefined,
): Promise<Answers> {
  const timeoutMs = timeoutSeconds === undefined ? loadConfig(env).controlTimeoutMs : timeoutSeconds * 1000;
  const shards = allShards(env);
  const connected = await Promise.all(shards.map((shard) => call(shard.connected())));
  const shardOfWorker = new Map<WorkerId, number>();
  connected.forEach((workers, shard) => {
    for (const { worker_id: id } of workers) if (!shardOfWorker.has(id)) shardOfWorker.set(id, shard);
  });
  const { matched, unknown } = matchTargets(connected.flat(), wanted);
  const answers = await Promise.all(
    shards.map(async (shard, index) => {
      const ids = [...matched].filter((id) => shardOfWorker.get(id) === index);
      return ids.length === 0
        ? { replies: [], silent: [] }
        : await call(shard.controlMany(ids, command, args, timeoutMs));
    }),
  );
  return {
    replies: answers.flatMap(({ replies }) => replies).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
    silent: answers.flatMap(({ silent }) => silent),
    unknown,
  };
}

/** What the broker knows of workers that are online. */
async function lookAt(
  env: Env,
  wanted: readonly string[] | undefined,
  what: (worker: WorkerView) => Json | TaskView[],
): Promise<Answers> {
  const online = (await call(monitor(env).workers())).filter(({ state }) => state === 'online');
  const { matched, unknown } = matchTargets(online, wanted);
  const replies = online
    .filter(({ worker_id: id }) => matched.has(id))
    .map((worker) => ({ worker_id: worker.worker_id, name: worker.name, reply: what(worker) }));
  return { replies, silent: [], unknown };
}

async function fromBroker(env: Env, principal: Principal, view: InspectedView): Promise<TaskView[]> {
  return (await Promise.all(allShards(env).map((shard) => call(shard.inspect(principal, view))))).flat();
}

/** Tasks by their ids; those that do not exist are left out. */
async function tasksById(env: Env, principal: Principal, ids: readonly TaskId[]): Promise<TaskView[]> {
  const found = await Promise.all(
    ids.map((id) =>
      call(brokerShard(env, shardOf(id)).get(principal, id)).catch((error: unknown) => {
        if (error instanceof TabgridError && error.code === 'not_found') return null;
        throw error;
      }),
    ),
  );
  return found.filter((task) => task !== null);
}

/** What is no worker’s: it waits, or it is over. */
function nobodys(tasks: TaskView[]): Answers {
  return { replies: [{ worker_id: null, name: null, reply: tasks }], silent: [], unknown: [] };
}

interface Question {
  wanted: readonly string[] | undefined;
  ids: readonly TaskId[];
  timeoutSeconds: number | undefined;
}

async function inspect(env: Env, principal: Principal, view: InspectView, question: Question): Promise<Answers> {
  const { wanted, ids, timeoutSeconds } = question;
  switch (view) {
    case 'ping':
    case 'stats':
      return askWorkers(env, view, {}, wanted, timeoutSeconds);
    case 'active':
    case 'reserved': {
      const tasks = await fromBroker(env, principal, view);
      return lookAt(env, wanted, ({ worker_id: id }) => tasks.filter((task) => task.worker === id));
    }
    case 'scheduled':
    case 'revoked':
      return nobodys(await fromBroker(env, principal, view));
    case 'registered':
      return lookAt(env, wanted, (worker) => worker.capabilities.tasks);
    case 'active_queues':
      return lookAt(env, wanted, (worker) => worker.queues);
    case 'query_task':
      return nobodys(await tasksById(env, principal, ids));
  }
}

const idList = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(taskIdSchema).min(1).max(100));

const waitsInBroker = ['scheduled', 'revoked', 'query_task'];

/** Remote control, of many workers at once. */
export const controlRoutes: readonly Route[] = [
  route(
    {
      method: 'get',
      path: '/v1/inspect/:view',
      access: ['read'],
      tag,
      summary: 'Celery’s `inspect`: asks workers, or tells what the broker knows of them.',
      description: `The views are ${inspectViews.map((view) => `\`${view}\``).join(', ')}. Tasks are one’s own; with \`admin\`, everyone’s, up to ${limits.maxPageSize}.`,
      params: z.object({ view: z.enum(inspectViews) }),
      query: z.strictObject({
        worker: z
          .string()
          .max(10_000)
          .optional()
          .describe('Ids or names, separated by commas; `*` stands for anything. Default: all.'),
        ids: idList.optional().describe('Of `query_task`: task ids, separated by commas.'),
        timeout,
      }),
      answers: { 200: { description: 'What each of them says.', component: 'WorkerAnswers' } },
    },
    async ({ env, principal, params: { view }, query }) => {
      if (query.worker !== undefined && waitsInBroker.includes(view)) {
        throw invalidRequest({ path: 'worker', message: `${view} tells of tasks that no worker has` });
      }
      if ((view === 'query_task') !== (query.ids !== undefined)) {
        throw invalidRequest({ path: 'ids', message: 'expected with query_task, and only there' });
      }
      const wanted = query.worker?.split(',').filter((text) => text !== '');
      const question = { wanted, ids: query.ids ?? [], timeoutSeconds: query.timeout };
      return json(await inspect(env, principal, view, question));
    },
  ),
  route(
    {
      method: 'post',
      path: '/v1/control/:command',
      access: ['admin'],
      tag,
      summary:
        'Celery’s `control`: asks all workers for something, or those that are named, and gathers their answers.',
      description: `The commands are ${controlCommands.map((command) => `\`${command}\``).join(', ')}. \`arguments\` are the command’s, such as \`{"n": 2}\` for \`grow\`.`,
      params: z.object({ command: z.enum(controlCommands) }),
      body: z.strictObject({
        workers: z
          .array(targets)
          .min(1)
          .max(1000)
          .optional()
          .describe('Ids or names; `*` stands for anything. Default: all.'),
        arguments: jsonObjectSchema.default({}),
        timeout,
      }),
      bodyOptional: true,
      answers: { 200: { description: 'What each of them says.', component: 'WorkerAnswers' } },
    },
    async ({ env, params: { command }, body }) =>
      json(await askWorkers(env, command, body.arguments, body.workers, body.timeout)),
  ),
];
