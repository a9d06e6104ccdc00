import { setImmediate } from 'node:timers/promises';
import { bodies } from '../../client/worker/tasks/index.ts';
import { component } from '../components/component.ts';

/** What evaluations by name need: they run in this process, beside the connection, and only wait for others. */
export const evaluation = component({
  name: 'evaluation',
  requires: ['kernels', 'evaluators', 'files'],
  start: ({ config, clock }, { kernels, evaluators, files }) => ({
    value: {
      evaluators,
      files,
      settings: {
        bodies,
        kernels: kernels.module,
        kernelDigest: kernels.digest,
        workerName: config.name,
        clock,
        pause: () => setImmediate(undefined),
      },
    },
  }),
});
