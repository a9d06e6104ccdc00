import { z } from 'zod';
import { taskIdSchema, workerIdSchema, type TaskId } from './ids.ts';
import { jsonSchema, type Json, type JsonObject } from './json.ts';
import { limits } from './limits.ts';
import { errorCodeSchema, outcomeSchema, progressSchema } from './task.ts';
import { nameSchema } from './text.ts';
import { capabilitiesSchema } from './workers.ts';

/** The version of the worker protocol, said in `hello` and in the WebSocket subprotocol. */
export const protocolVersion = 1;
export const workerSubprotocol = 'tabgrid.v1';

/** The text that a worker sends as heartbeat, and the answer. Cloudflare answers it without waking the object. */
export const heartbeat = { ping: 'ping', pong: 'pong' } as const;

/** One attempt of one task; `attempt` is the fencing token. */
const attemptRefSchema = z.strictObject({ task_id: taskIdSchema, attempt: z.int().min(1) });
export type AttemptRef = z.infer<typeof attemptRefSchema>;

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'expected a sha-256 in hex');
const attemptRefs = z.array(attemptRefSchema).max(limits.maxTasksPerFrame);

/** Stopped work: bytes that another worker with the same kernels continues from, bit-equal. */
export const snapshotSchema = z.strictObject({
  kernel_digest: digestSchema,
  /** base64 */
  data: z.string().max(Math.ceil(limits.maxSnapshotBytes / 3) * 4),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

/** What a worker says. */
export const workerFrameSchema = z.discriminatedUnion('type', [
  /** First frame on a socket. `holding` lists what it still computes after a lost connection; what is not listed is given to others. */
  z.strictObject({
    type: z.literal('hello'),
    protocol: z.literal(protocolVersion),
    worker_id: workerIdSchema,
    name: nameSchema,
    queues: z.array(nameSchema).min(1).max(50),
    concurrency: z.int().min(1).max(1024),
    capabilities: capabilitiesSchema,
    kernel_digest: digestSchema,
    holding: z.array(attemptRefSchema).max(limits.maxCredits),
    /** Tasks that it can take at once. */
    credits: z.int().min(0).max(limits.maxCredits),
    /** It reads messages that hold several frames, as a JSON array; to others each frame goes by itself. */
    batches: z.boolean().optional(),
  }),
  /** Room for `add` more tasks. */
  z.strictObject({ type: z.literal('credits'), add: z.int().min(1).max(limits.maxCredits) }),
  /**
   * Takes back up to `count` credits; the edge answers `withdrawn`. From then on it also says `waiting`. For workers that share their slots among
   * several shards or edges.
   */
  z.strictObject({ type: z.literal('withdraw'), count: z.int().min(0).max(limits.maxCredits) }),
  /** Computing has begun. May be left out for work shorter than a blink: the result tells its start too. */
  z.strictObject({ type: z.literal('started'), items: attemptRefs }),
  z.strictObject({
    type: z.literal('progress'),
    items: z
      .array(z.strictObject({ ...attemptRefSchema.shape, progress: progressSchema }))
      .max(limits.maxTasksPerFrame),
  }),
  z.strictObject({ type: z.literal('snapshot'), ...attemptRefSchema.shape, snapshot: snapshotSchema }),
  /** Ends of attempts. Repeated until acknowledged, so that a lost connection loses nothing. `credits` as in the frame of that name. */
  z.strictObject({
    type: z.literal('outcomes'),
    items: z
      .array(z.strictObject({ ...attemptRefSchema.shape, outcome: outcomeSchema, runtime_ms: z.number().min(0) }))
      .max(limits.maxTasksPerFrame),
    credits: z.int().min(0).max(limits.maxCredits),
  }),
  /** These attempts are now kept durably by a group of workers sharing one Redis: the lease lasts to the hard time limit and any member may report. */
  z.strictObject({ type: z.literal('adopt'), group: nameSchema, items: attemptRefs }),
  /** Leaving: everything held that has not been reported is given back at once. */
  z.strictObject({ type: z.literal('goodbye'), reason: z.string().max(200) }),
  z.strictObject({
    type: z.literal('control_reply'),
    request_id: z.string().max(64),
    reply: z.union([z.strictObject({ ok: jsonSchema }), z.strictObject({ error: z.string().max(1000) })]),
  }),
]);

export type WorkerFrame = z.infer<typeof workerFrameSchema>;

/** A task on its way to a worker. Durations in milliseconds. */
export interface Assignment {
  task_id: TaskId;
  attempt: number;
  task: string;
  args: Json[];
  kwargs: JsonObject;
  queue: string;
  priority: number;
  retries: number;
  /** Who submitted it: the files that it names are this owner’s. */
  owner: string;
  soft_time_limit_ms: number;
  time_limit_ms: number;
  /** Where an earlier attempt stopped, if it was computed by the same kernels. */
  snapshot: Snapshot | null;
}

const assignmentSchema: z.ZodType<Assignment> = z.object({
  task_id: taskIdSchema,
  attempt: z.int().min(1),
  task: z.string(),
  args: z.array(jsonSchema),
  kwargs: z.record(z.string(), jsonSchema),
  queue: z.string(),
  priority: z.int(),
  retries: z.int().min(0),
  owner: z.string(),
  soft_time_limit_ms: z.number(),
  time_limit_ms: z.number(),
  snapshot: snapshotSchema.nullable(),
});

/** What can be asked of a running worker. */
export const controlCommands = [
  'ping',
  'stats',
  'shutdown',
  'restart',
  'grow',
  'shrink',
  'add_queue',
  'cancel_queue',
  'rate_limit',
  'time_limit',
] as const;
export type ControlCommand = (typeof controlCommands)[number];

/** What the edge says. Members may be added within a version, so that clients ignore unknown ones. */
export const edgeFrameSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    protocol: z.literal(protocolVersion),
    lease_ms: z.number(),
    heartbeat_ms: z.number(),
    /** Of `hello.holding`, what this worker has lost meanwhile: stop computing it. */
    lost: z.array(attemptRefSchema),
    /** Shards of this edge, each with a socket of its own at `?shard=`; without it, one. */
    shards: z.int().min(1).optional(),
    /** How many attempts `hello.holding` may name, and so how many the worker may hold; without it, as many as a frame has tasks. */
    max_holding: z.int().min(1).optional(),
  }),
  z.object({ type: z.literal('tasks'), items: z.array(assignmentSchema) }),
  /** The answer to `withdraw`: so many credits were left and are void now. */
  z.object({ type: z.literal('withdrawn'), count: z.int().min(0) }),
  /** Tasks wait that this worker could take if it gave credits; said once until it does, and only after `withdraw`. */
  z.object({ type: z.literal('waiting') }),
  /** One for each item of `outcomes`. `lease_lost`: the outcome was not used. Either way the worker forgets it. */
  z.object({
    type: z.literal('ack'),
    items: z.array(z.object({ ...attemptRefSchema.shape, status: z.enum(['recorded', 'lease_lost']) })),
  }),
  z.object({
    type: z.literal('revoke'),
    items: z.array(z.object({ ...attemptRefSchema.shape, terminate: z.boolean() })),
  }),
  z.object({
    type: z.literal('control'),
    request_id: z.string(),
    command: z.enum(controlCommands),
    arguments: z.record(z.string(), jsonSchema),
  }),
  z.object({ type: z.literal('error'), error: z.object({ code: errorCodeSchema, message: z.string() }) }),
]);

export type EdgeFrame = z.infer<typeof edgeFrameSchema>;
