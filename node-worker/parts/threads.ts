import { startLocalThread, startThread, type PoolOptions, type ThreadSettings } from '../../client/worker/index.ts';
import { component } from '../components/component.ts';
import type { WorkerConfig } from '../config.ts';
import { spawnThread } from '../spawn-thread.ts';
import { threadParts } from '../thread-parts.ts';
import { besideBundle } from './beside-bundle.ts';
import { computePool, threadSettings } from './compute-pool.ts';

/** The threads that compute, started when they are first needed; or this one, in their place. */
export const threads = component({
  name: 'threads',
  requires: ['kernels', 'bodies', 'files'],
  start: (worker, { kernels, bodies, files }) => {
    const settings = { ...threadSettings(worker, kernels, bodies), kernels: kernels.module };
    const pool = computePool(worker, files, starter(worker.config, settings));
    return { value: pool, stop: () => pool.close() };
  },
});

function starter(config: Readonly<WorkerConfig>, settings: ThreadSettings): PoolOptions['start'] {
  if (config.pool === 'solo') return (hooks) => startLocalThread(threadParts, hooks, settings);
  const threadFile = config.threadFile ?? besideBundle('thread.js');
  return (hooks) => startThread(spawnThread(threadFile), hooks, settings);
}
