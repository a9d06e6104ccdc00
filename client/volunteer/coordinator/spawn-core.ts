import type { Thread } from '../../worker/index.ts';
import coreUrl from '../core/core.worker.ts?worker&url';

export { coreUrl };

/**
 * Starts the Web Worker behind one core.
 *
 * @param onMissing Called, before anybody else hears of it, when its script does not load: a newer deployment may have replaced it. What a
 *   core was given must then not fail, but go back.
 */
export function spawnCore(onMissing: () => void): Thread {
  const worker = new Worker(coreUrl, { type: 'module', name: 'core' });
  return {
    endpoint: worker,
    terminate: () => worker.terminate(),
    onFailure: (listener) => {
      worker.addEventListener('error', (event: Event) => {
        event.preventDefault();
        // An error inside the script comes with a message; a script that did not load comes without.
        if (event instanceof ErrorEvent) {
          listener(event.message);
          return;
        }
        onMissing();
        listener('its script did not load');
      });
    },
  };
}
