import { Worker } from 'node:worker_threads';
import type { Thread } from '../client/worker/index.ts';
import { endpointOf } from './endpoint.ts';

/** A worker thread that runs `thread.js`. It sees none of the process’s environment, because tokens are there. */
export function spawnThread(file: string): Thread {
  const worker = new Worker(file, { env: {} });
  let ended = false;
  return {
    endpoint: endpointOf(worker),
    terminate: () => {
      ended = true;
      void worker.terminate();
    },
    onFailure: (listener) => {
      const fail = (message: string) => {
        if (ended) return;
        ended = true;
        listener(message);
      };
      worker.on('error', (error) => fail(error instanceof Error ? error.message : String(error)));
      worker.on('exit', (code) => fail(`exit code ${code}`));
    },
  };
}
