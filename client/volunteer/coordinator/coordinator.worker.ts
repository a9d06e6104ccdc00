import * as comlink from 'comlink';
import { systemClock } from '../../worker/index.ts';
import { Coordinator } from './coordinator.ts';
import { compile, fetchOwn, kernelsUrl } from './kernels.ts';
import { randomName } from './random-name.ts';
import { coreUrl, spawnCore } from './spawn-core.ts';

const fetchHere: typeof fetch = (input, init) => fetch(input, init);

comlink.expose(
  new Coordinator({
    clock: systemClock,
    fetch: fetchHere,
    openSocket: (url, protocols) => new WebSocket(url, protocols),
    spawnCore,
    // With the script of the cores, so that it is in the browser’s cache, or known to be gone, before there is a task for it.
    loadKernels: async () => {
      const [kernels] = await Promise.all([fetchOwn(kernelsUrl, fetchHere), fetchOwn(coreUrl, fetchHere)]);
      return compile(kernels);
    },
    workerName: randomName(),
  }),
);
