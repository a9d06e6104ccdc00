import { component } from '../components/component.ts';
import { loadKernels } from '../kernels.ts';
import { besideBundle } from './beside-bundle.ts';

/** The kernel binary, compiled once for all threads. */
export const kernels = component({
  name: 'kernels',
  start: async ({ config }) => ({ value: await loadKernels(config.kernelsFile ?? besideBundle('kernels.wasm')) }),
});
