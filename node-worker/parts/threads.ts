import { startThread } from '../../client/worker/index.ts';
import { component } from '../components/component.ts';
import { spawnThread } from '../spawn-thread.ts';
import { besideBundle } from './beside-bundle.ts';
import { computePool, threadSettings } from './compute-pool.ts';

/** The threads that compute, started when they are first needed. */
export const threads = component({
  name: 'threads',
  requires: ['kernels', 'bodies', 'files'],
  start: (worker, { kernels, bodies, files }) => {
    const threadFile = worker.config.threadFile ?? besideBundle('thread.js');
    const settings = { ...threadSettings(worker, kernels, bodies), kernels: kernels.module };
    const pool = computePool(worker, files, (hooks) => startThread(spawnThread(threadFile), hooks, settings));
    return { value: pool, stop: () => pool.close() };
  },
});
