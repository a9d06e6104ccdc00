import type { Thread } from '../../worker/index.ts';

/** Starts the Web Worker behind one core. */
export function spawnCore(): Thread {
  const worker = new Worker(new URL('../core/core.worker.ts', import.meta.url), { type: 'module', name: 'core' });
  return {
    endpoint: worker,
    terminate: () => worker.terminate(),
    onFailure: (listener) => {
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        listener(event.message || 'it could not be loaded');
      });
    },
  };
}
