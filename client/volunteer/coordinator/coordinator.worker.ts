import * as comlink from 'comlink';
import { systemClock } from '../../worker/index.ts';
import { Coordinator } from './coordinator.ts';
import { loadKernels } from './kernels.ts';
import { spawnCore } from './spawn-core.ts';
import { randomName } from './random-name.ts';

const fetchHere: typeof fetch = (input, init) => fetch(input, init);

comlink.expose(
  new Coordinator({
    clock: systemClock,
    fetch: fetchHere,
    openSocket: (url, protocols) => new WebSocket(url, protocols),
    spawnCore,
    loadKernels: () => loadKernels(fetchHere),
    workerName: randomName(),
  }),
);
