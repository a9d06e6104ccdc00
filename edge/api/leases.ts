import { z } from 'zod';
import { findTaskType, tasksThatRunOn } from '#catalog';
import {
  capabilitiesSchema,
  jsonSchema,
  limits,
  nameSchema,
  progressSchema,
  shardOf,
  snapshotSchema,
  taskErrorSchema,
  taskIdSchema,
  workerIdSchema,
  type Capabilities,
  type Principal,
  type WorkerId,
} from '#protocol';
import { brokerShard, type LeaseRequest } from '../broker/rpc.ts';
import type { Env } from '../env.ts';
import { call } from '../lib/rpc.ts';
import { json } from './respond.ts';
import { route, type Route } from './route.ts';
import { allShards } from './shards.ts';
import { leaseView, type LeaseView } from './views.ts';

const access = ['work'] as const;
const tag = 'leases';
const leaseParams = z.object({ id: taskIdSchema });
const attempt = z.int().min(1).describe('The attempt that the lease is for: its fence.');

/** What a worker that says nothing can do: the tasks that Node runs, without named evaluators. */
const defaultCapabilities: Capabilities = {
  runtime: 'node',
  cores: 1,
  gpu: false,
  tasks: tasksThatRunOn('node'),
  evaluators: [],
};

/** Of a worker without kernels: it equals no build’s, so that no snapshot is given to it. */
const noKernels = '0'.repeat(64);

const capabilitiesBody = z.strictObject({
  runtime: capabilitiesSchema.shape.runtime.default(defaultCapabilities.runtime),
  cores: capabilitiesSchema.shape.cores.default(defaultCapabilities.cores),
  gpu: capabilitiesSchema.shape.gpu.default(defaultCapabilities.gpu),
  tasks: capabilitiesSchema.shape.tasks.default(defaultCapabilities.tasks),
  evaluators: capabilitiesSchema.shape.evaluators.default(defaultCapabilities.evaluators),
  description: capabilitiesSchema.shape.description,
});

const leaseBody = z.strictObject({
  queues: z.array(nameSchema).min(1).max(50).default(['default']),
  count: z.int().min(1).max(limits.maxTasksPerFrame).default(1),
  capabilities: capabilitiesBody.default(defaultCapabilities),
  worker_id: workerIdSchema.optional(),
  kernel_digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected a sha-256 in hex')
    .default(noKernels),
});

function leaseRequest(body: z.infer<typeof leaseBody>, principal: Principal): LeaseRequest {
  const tasks = body.capabilities.tasks.map((name) => findTaskType(name)?.name ?? name);
  return {
    ...body,
    worker_id: body.worker_id ?? defaultWorkerId(principal),
    capabilities: { ...body.capabilities, tasks },
  };
}

/** One worker for all that a token’s owner leases without naming it. */
function defaultWorkerId({ sub }: Principal): WorkerId {
  return `http@${sub.replace(/[^\w.:-]/g, '_')}`.slice(0, 128) as WorkerId;
}

/** Asks one shard after the other until there are enough. */
async function leaseFromShards(env: Env, principal: Principal, request: LeaseRequest): Promise<LeaseView[]> {
  const leases: LeaseView[] = [];
  for (const shard of allShards(env)) {
    const count = request.count - leases.length;
    if (count === 0) break;
    leases.push(...(await call(shard.lease(principal, { ...request, count }))).map(leaseView));
  }
  return leases;
}

const reported = { 200: { description: 'It counts, now or before.', component: 'Reported' } } as const;

export const leaseRoutes: readonly Route[] = [
  route(
    {
      method: 'post',
      path: '/v1/leases',
      access,
      tag,
      summary: 'Takes tasks to compute, at most `count`, without waiting for any.',
      description:
        'A lease lasts 30 s and is renewed. What `capabilities` leaves out counts as a Node worker with one core and every task that Node runs. A repeat takes further tasks: those of a lost answer come back when their lease ends.',
      body: leaseBody,
      answers: { 200: { description: 'The leases.', component: 'Leases' } },
    },
    async ({ env, principal, body }) =>
      json({ leases: await leaseFromShards(env, principal, leaseRequest(body, principal)) }),
  ),
  route(
    {
      method: 'post',
      path: '/v1/leases/:id/renew',
      access,
      tag,
      summary: 'Makes the lease last a full period from now.',
      params: leaseParams,
      body: z.strictObject({ attempt }),
      answers: { 200: { description: 'How long it lasts.', component: 'LeaseRenewed' } },
      errors: ['not_found', 'lease_lost'],
    },
    async ({ env, principal, params: { id }, body }) => {
      const { lease_ms: leaseMs } = await call(brokerShard(env, shardOf(id)).renew(principal, id, body));
      return json({ expires_in: leaseMs / 1000 });
    },
  ),
  route(
    {
      method: 'post',
      path: '/v1/leases/:id/progress',
      access,
      tag,
      summary: 'Tells how far the attempt has come.',
      params: leaseParams,
      body: z.strictObject({ attempt, progress: progressSchema }),
      answers: reported,
      errors: ['not_found', 'lease_lost'],
    },
    async ({ env, principal, params: { id }, body }) =>
      json(await call(brokerShard(env, shardOf(id)).progress(principal, id, body))),
  ),
  route(
    {
      method: 'post',
      path: '/v1/leases/:id/result',
      access,
      tag,
      summary: 'Ends the attempt with its result.',
      params: leaseParams,
      body: z.strictObject({ attempt, result: jsonSchema, runtime: z.number().min(0).optional().describe('Seconds.') }),
      answers: reported,
      errors: ['not_found', 'lease_lost', 'body_too_large'],
    },
    async ({ env, principal, params: { id }, body: { runtime, ...body } }) =>
      json(await call(brokerShard(env, shardOf(id)).result(principal, id, { ...body, ...runtimeMs(runtime) }))),
  ),
  route(
    {
      method: 'post',
      path: '/v1/leases/:id/failure',
      access,
      tag,
      summary:
        'Ends the attempt with an error; another one follows unless it is not `retryable` or retries are used up.',
      params: leaseParams,
      body: z.strictObject({
        attempt,
        error: taskErrorSchema,
        retryable: z.boolean().default(true),
        runtime: z.number().min(0).optional().describe('Seconds.'),
      }),
      answers: reported,
      errors: ['not_found', 'lease_lost'],
    },
    async ({ env, principal, params: { id }, body: { runtime, ...body } }) =>
      json(await call(brokerShard(env, shardOf(id)).failure(principal, id, { ...body, ...runtimeMs(runtime) }))),
  ),
  route(
    {
      method: 'post',
      path: '/v1/leases/:id/release',
      access,
      tag,
      summary: 'Gives the task back unharmed; it counts as no attempt.',
      params: leaseParams,
      body: z.strictObject({
        attempt,
        reason: z.string().max(200).default('released'),
        snapshot: snapshotSchema.optional(),
      }),
      answers: reported,
      errors: ['not_found', 'lease_lost'],
    },
    async ({ env, principal, params: { id }, body: { snapshot, ...body } }) => {
      const release = { ...body, ...(snapshot === undefined ? {} : { snapshot }) };
      return json(await call(brokerShard(env, shardOf(id)).release(principal, id, release)));
    },
  ),
];

function runtimeMs(seconds: number | undefined): { runtime_ms?: number } {
  return seconds === undefined ? {} : { runtime_ms: seconds * 1000 };
}
