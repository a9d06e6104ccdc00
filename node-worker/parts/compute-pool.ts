import { ThreadPool, type PoolOptions, type ThreadSettings } from '../../client/worker/index.ts';
import type { WorkerContext } from '../components/context.ts';
import type { Kernels } from '../kernels.ts';
import type { Bodies } from './bodies.ts';
import type { Parts } from './parts.ts';

/** A pool of threads, or of processes that are taken for threads. */
export function computePool(worker: WorkerContext, files: Parts['files'], start: PoolOptions['start']): ThreadPool {
  const { config, clock } = worker;
  return new ThreadPool({
    start,
    files,
    clock,
    concurrency: config.concurrency,
    maxTasksPerThread: config.maxTasksPerChild,
    maxMemoryBytes: config.maxMemoryPerChildBytes,
    abortGraceMs: config.abortGraceMs,
  });
}

/** What every thread is told when it begins. */
export function threadSettings(
  worker: WorkerContext,
  kernels: Kernels,
  { extraBodies }: Bodies,
): Omit<ThreadSettings, 'kernels'> {
  return { kernelDigest: kernels.digest, workerName: worker.name, extraBodies };
}
