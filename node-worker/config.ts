import { availableParallelism, hostname } from 'node:os';
import { z } from 'zod';
import { faultsOf, nameSchema, rateTextSchema, TabgridError } from '#protocol';
import { sessionDefaults } from '../client/worker/index.ts';
import { parseEvaluators } from './evaluators/declaration.ts';

const urlSchema = z.url({ protocol: /^https?$/ });

/** Every option of a Node worker. Only `token` has no default. */
const configSchema = z.strictObject({
  /** The edge’s origin. */
  url: urlSchema.default('http://localhost:8787'),
  /** A token with the scope `work`. Members of one Redis group need tokens of the same `sub`, because any of them may report. */
  token: z.string().trim().min(1),
  /** Edges that give it tasks beside the first, each by itself: if one is away, the others go on. Not together with Redis. */
  furtherEdges: z.array(z.strictObject({ url: urlSchema, token: z.string().trim().min(1) })).default([]),
  /** Queues to take tasks from; null for all that exist from the start, but `gpu_training` only where there is a GPU. */
  queues: z.array(nameSchema).min(1).max(50).nullable().default(null),
  /** Whether to train what waits in `gpu_training` on this machine’s GPU. Without a GPU the worker says why, and works as if it were not asked. */
  gpu: z.boolean().default(false),
  /**
   * Where bodies run: `threads`, each in one of its own; or `solo`, all in the thread that keeps the connection, under way up to `concurrency` at a
   * time. Without a way to threads, brief tasks and those that mostly wait cost the least. But a body that computes for long without a pause keeps the worker
   * from sending heartbeats, and nobody can end it: at the hard time limit the attempt fails, and the body goes on until it looks at its signals. What
   * ends the process ends the worker, and bodies see its environment. Never with `maxTasksPerChild` or `maxMemoryPerChildBytes`.
   */
  pool: z.enum(['threads', 'solo']).default('threads'),
  /** Tasks computed at a time, each in a thread, and with Redis evaluations at a time, each in a process. Default: the machine’s cores. */
  concurrency: z.int().min(1).max(1024).default(availableParallelism),
  /** Tasks asked for per slot. 1 holds nothing that others could compute; more hides the way to the edge from short tasks. */
  prefetch: z.int().min(1).max(100).default(sessionDefaults.prefetch),
  /** Its name in the worker table; `%h` stands for the host’s. */
  name: z
    .string()
    .default('node@%h')
    .transform((name) => name.replaceAll('%h', hostname()))
    .pipe(nameSchema.max(90)),
  /** Task starts per second, minute or hour over all types; null for no limit. */
  rateLimit: rateTextSchema.nullable().default(null),
  /** Tasks after which a thread is replaced; null for never. */
  maxTasksPerChild: z.int().min(1).nullable().default(null),
  /** Memory of a thread’s heap and buffers over which it is replaced when its task is over; null for never. */
  maxMemoryPerChildBytes: z
    .int()
    .min(16 * 1024 * 1024)
    .nullable()
    .default(null),
  /** A module that exports further bodies as `bodies`, by task type; null for none. TypeScript only where Node runs it by itself. */
  tasksFile: z.string().min(1).nullable().default(null),
  /** Modules that export further components of the worker, as `component` or `components` (docs/workers.md). */
  componentFiles: z.array(z.string().min(1)).default([]),
  /**
   * Named evaluators: a shell command (`python3 sim.py`), `module:./sim.mjs`, or a URL (`https://lab.example/evaluate`). Only these are
   * ever run; a request can name one, but never bring its own.
   */
  evaluators: z.record(nameSchema, z.string().min(1)).default({}).transform(parseEvaluators),
  /** Environment variables that commands see beside the documented minimum. */
  evaluatorEnvironment: z.array(z.string().regex(/^\w+$/)).default([]),
  /** How long a command may take to end after SIGTERM before SIGKILL follows. */
  evaluatorKillAfterMs: z.int().min(0).default(2000),
  /** Where long evaluations are kept, such as `redis://localhost:6379`; null leaves them to the edge’s leases. */
  redis: z
    .url({ protocol: /^rediss?$/ })
    .nullable()
    .default(null),
  /** Begins the name of every key. Workers of one edge that share a Redis share the prefix; another edge needs another one. */
  redisPrefix: nameSchema.default('tabgrid'),
  /** Candidates that may wait in Redis before this worker takes no further evaluations from the edge. */
  maxWaitingCandidates: z.int().min(1).default(1000),
  /** How often a running evaluation says in Redis that its process lives, and asks whether it is still wanted. */
  evaluationHeartbeatMs: z.int().min(10).default(5000),
  /** Silence after which another worker takes an evaluation over; several heartbeats long. */
  evaluationClaimAfterMs: z.int().min(20).default(30_000),
  /** How often a running evaluation’s progress is told to the edge, at most. */
  evaluationProgressMs: z.int().min(10).default(10_000),
  /** Files read from the edge that are kept in memory, over all threads. */
  fileCacheBytes: z
    .int()
    .min(0)
    .default(256 * 1024 * 1024),
  /** How long a stopped task may take to end by itself before its thread is ended. */
  abortGraceMs: z.int().min(0).default(1000),
  /** How often a running task is asked for a snapshot; 0 asks only when the worker leaves. */
  snapshotEveryMs: z.int().min(0).default(sessionDefaults.snapshotEveryMs),
  /** The built `thread.js`. Default: beside the running bundle. */
  threadFile: z.string().optional(),
  /** The built `gpu-process.js`. Default: beside the running bundle. */
  gpuProcessFile: z.string().optional(),
  /** The built `kernels.wasm`. Default: beside the running bundle. */
  kernelsFile: z.string().optional(),
});

/** Options as a caller writes them. */
export type WorkerConfigInput = z.input<typeof configSchema>;
/** Options with their defaults. */
export interface WorkerConfig extends z.output<typeof configSchema> {
  /** The first edge, and the further ones. */
  edges: readonly { readonly url: string; readonly token: string }[];
}

/** @throws TabgridError `invalid_request` naming each option that does not fit, and what was expected. */
export function workerConfig(input: WorkerConfigInput): WorkerConfig {
  const parsed = configSchema.safeParse(input);
  if (parsed.success) {
    const { evaluationHeartbeatMs, evaluationClaimAfterMs } = parsed.data;
    if (evaluationClaimAfterMs <= evaluationHeartbeatMs) {
      const message = `evaluationClaimAfterMs: expected more than evaluationHeartbeatMs (${evaluationHeartbeatMs}), got ${evaluationClaimAfterMs}`;
      throw new TabgridError('invalid_request', message);
    }
    if (parsed.data.pool === 'solo') {
      for (const name of ['maxTasksPerChild', 'maxMemoryPerChildBytes'] as const) {
        if (parsed.data[name] === null) continue;
        const message = `${name}: expected none beside the pool solo, which has no threads that could be replaced`;
        throw new TabgridError('invalid_request', message);
      }
    }
    const { url, token, furtherEdges, redis } = parsed.data;
    if (redis !== null && furtherEdges.length > 0) {
      const message = 'redis: expected one edge, because any member of the group writes results back to it';
      throw new TabgridError('invalid_request', message);
    }
    return { ...parsed.data, edges: [{ url, token }, ...furtherEdges] };
  }
  const faults = faultsOf(parsed.error);
  const message = faults.map((fault) => `${fault.path}: ${fault.message}`).join('; ');
  throw new TabgridError('invalid_request', `The worker’s options do not fit: ${message}`, { details: { faults } });
}
