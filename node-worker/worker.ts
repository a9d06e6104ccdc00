import { setImmediate } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { WebSocket } from 'undici';
import { gpuQueue, standardQueues, tasksThatRunOn } from '#catalog';
import { TabgridError, type Capabilities, type WorkerId } from '#protocol';
import {
  HttpFiles,
  sessionDefaults,
  startThread,
  systemClock,
  ThreadPool,
  WebSocketTransport,
  WorkerSession,
  type PoolOptions,
  type SessionEvent,
  type SessionPhase,
  type SessionStats,
  type TaskBodies,
  type ThreadSettings,
  type WebSocketLike,
} from '../client/worker/index.ts';
import { bodies } from '../client/worker/tasks/index.ts';
import { workerConfig, type WorkerConfig, type WorkerConfigInput } from './config.ts';
import type { EvaluationParts } from './evaluators/evaluation.ts';
import { Evaluators } from './evaluators/evaluators.ts';
import { EvaluationExecutor } from './evaluators/executor.ts';
import { findGpu, startGpuProcess } from './gpu-process/start.ts';
import { describeHost, newWorkerId } from './identity.ts';
import { loadKernels, type Kernels } from './kernels.ts';
import { LeaseClient } from './leases.ts';
import type { Log } from './log.ts';
import { RedisGroup } from './redis/group.ts';
import { RoutedExecutor } from './routed-executor.ts';
import { spawnThread } from './spawn-thread.ts';

/** About what a thread computes while the next ones are on their way to it. */
const briefTasksAhead = 31;

export interface WorkerHooks {
  /** Hears what happens, for a log or a display. */
  onEvent?: (event: SessionEvent) => void;
  /** Takes lines for the operator. */
  log?: Log;
}

/** A running worker. */
export interface WorkerHandle {
  readonly workerId: WorkerId;
  readonly name: string;
  readonly phase: SessionPhase;
  readonly stats: SessionStats;
  /** Resolves when it is over: with the refusal that ended it, such as `unauthorized`, or with null. Never rejects. */
  readonly closed: Promise<TabgridError | null>;
  /** First stage: takes nothing new, hands back what others can continue, finishes the rest. */
  stop(reason: string): Promise<TabgridError | null>;
  /** Second stage: ends what still runs and gives it back. */
  abort(reason: string): Promise<TabgridError | null>;
}

/**
 * Starts a worker and returns once it has begun to connect. It installs no signal handlers.
 *
 * @throws TabgridError `invalid_request` for options that do not fit, `not_configured` without built kernels.
 */
export async function startWorker(input: WorkerConfigInput, hooks: WorkerHooks = {}): Promise<WorkerHandle> {
  const config = workerConfig(input);
  const log = hooks.log ?? (() => undefined);
  const kernelsFile = config.kernelsFile ?? besideBundle('kernels.wasm');
  const kernels = await loadKernels(kernelsFile);
  const workerId = newWorkerId(config.name);
  const extraBodies = config.tasksFile === null ? null : pathToFileURL(config.tasksFile).href;
  const tasks = await taskNames(extraBodies);
  const parts = evaluationParts(config, kernels);
  const group = config.redis === null ? null : await joinGroup(config, config.redis, workerId, parts, log);
  const gpuAdapter = config.gpu ? await adapterOf(config, log) : null;
  const settings: Omit<ThreadSettings, 'kernels'> = {
    kernelDigest: kernels.digest,
    workerName: config.name,
    extraBodies,
  };
  const threadFile = config.threadFile ?? besideBundle('thread.js');
  const threads = computePool(config, parts, (hooks) =>
    startThread(spawnThread(threadFile), hooks, { ...settings, kernels: kernels.module }),
  );
  const gpuProcesses =
    gpuAdapter === null
      ? null
      : computePool(config, parts, (hooks) =>
          startGpuProcess(gpuProcessFile(config), { ...settings, kernelsFile }, hooks),
        );
  const processes = new EvaluationExecutor(parts);
  const executor = new RoutedExecutor({
    threads,
    evaluations: group?.executor ?? processes,
    evaluationArrays: processes,
    gpu: gpuProcesses,
  });
  const session = new WorkerSession(
    {
      ...sessionDefaults,
      workerId,
      name: config.name,
      queues: config.queues ?? standardQueues.filter((queue) => queue !== gpuQueue || gpuAdapter !== null),
      concurrency: config.concurrency,
      prefetch: config.prefetch,
      briefTasksAhead,
      rateLimit: config.rateLimit,
      snapshotEveryMs: config.snapshotEveryMs,
      capabilities: capabilities(config, tasks, parts.evaluators, gpuAdapter),
      kernelDigest: kernels.digest,
    },
    {
      transport: new WebSocketTransport({ url: config.url, token: () => config.token, open: openSocket, fetch }),
      executor,
      clock: systemClock,
      onEvent: (event) => {
        if (event.type === 'phase' && event.phase === 'working') group?.edgeIsBack();
        hooks.onEvent?.(event);
      },
    },
  );

  const hurry = new AbortController();
  const closed = session.closed.then(async (error) => {
    // Evaluations that Redis keeps go on without the edge: hours of them are not thrown away because a token has expired.
    if (group && error) log(`The edge refuses this worker (${error.message}); evaluations under way are finished.`);
    await group?.drain(hurry.signal);
    await executor.close();
    await group?.leave();
    return error;
  });
  session.start();
  return {
    workerId,
    name: config.name,
    get phase() {
      return session.phase;
    },
    get stats() {
      return session.stats;
    },
    closed,
    stop: (reason) => {
      group?.takeNoMore();
      void session.drain(reason);
      return closed;
    },
    abort: (reason) => {
      hurry.abort();
      session.leave(reason);
      return closed;
    },
  };
}

function besideBundle(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function openSocket(url: string, protocols: string[]): WebSocketLike {
  return new WebSocket(url, protocols);
}

async function taskNames(extraBodies: string | null): Promise<string[]> {
  const known = tasksThatRunOn('node').filter((name) => name in bodies);
  if (extraBodies === null) return known;
  const module = await import(extraBodies).then(
    (loaded: { bodies?: TaskBodies }) => loaded,
    (cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new TabgridError('invalid_request', `tasksFile: ${message}`, { cause });
    },
  );
  if (!module.bodies) throw new TabgridError('invalid_request', 'tasksFile: expected an export named bodies');
  return [...new Set([...known, ...Object.keys(module.bodies)])];
}

function gpuProcessFile(config: WorkerConfig): string {
  return config.gpuProcessFile ?? besideBundle('gpu-process.js');
}

/** The name of this machine’s GPU; null where there is none, which is told. */
async function adapterOf(config: WorkerConfig, log: Log): Promise<string | null> {
  const finding = await findGpu(gpuProcessFile(config));
  if (finding.type === 'open') return finding.adapter;
  log(`No GPU is used. ${finding.reason}`);
  return null;
}

function capabilities(
  config: WorkerConfig,
  tasks: string[],
  evaluators: Evaluators,
  gpuAdapter: string | null,
): Capabilities {
  return {
    runtime: 'node',
    cores: config.concurrency,
    gpu: gpuAdapter !== null,
    tasks,
    evaluators: evaluators.names,
    description: describeHost(gpuAdapter),
  };
}

function evaluationParts(config: WorkerConfig, kernels: Kernels): EvaluationParts {
  const { url, token, fileCacheBytes: cacheBytes } = config;
  return {
    evaluators: new Evaluators({
      declarations: config.evaluators,
      extraEnvironment: config.evaluatorEnvironment,
      killAfterMs: config.evaluatorKillAfterMs,
    }),
    files: new HttpFiles({ url, token: () => token, fetch, clock: systemClock, cacheBytes }),
    settings: {
      bodies,
      kernels: kernels.module,
      kernelDigest: kernels.digest,
      workerName: config.name,
      clock: systemClock,
      pause: () => setImmediate(undefined),
    },
  };
}

function computePool(config: WorkerConfig, { files }: EvaluationParts, start: PoolOptions['start']): ThreadPool {
  return new ThreadPool({
    start,
    files,
    clock: systemClock,
    concurrency: config.concurrency,
    maxTasksPerThread: config.maxTasksPerChild,
    maxMemoryBytes: config.maxMemoryPerChildBytes,
    abortGraceMs: config.abortGraceMs,
  });
}

function joinGroup(
  config: WorkerConfig,
  redisUrl: string,
  workerId: WorkerId,
  evaluation: EvaluationParts,
  log: Log,
): Promise<RedisGroup> {
  return RedisGroup.join({
    url: redisUrl,
    prefix: config.redisPrefix,
    member: workerId,
    evaluators: evaluation.evaluators.names,
    evaluation,
    leases: new LeaseClient({ url: config.url, token: config.token, fetch }),
    clock: systemClock,
    concurrency: config.concurrency,
    maxWaiting: config.maxWaitingCandidates,
    heartbeatMs: config.evaluationHeartbeatMs,
    claimAfterMs: config.evaluationClaimAfterMs,
    progressMs: config.evaluationProgressMs,
    log,
  });
}
