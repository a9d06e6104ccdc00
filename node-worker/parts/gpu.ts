import { component } from '../components/component.ts';
import { findGpu, startGpuProcess } from '../gpu-process/start.ts';
import { besideBundle } from './beside-bundle.ts';
import { computePool, threadSettings } from './compute-pool.ts';

/** Processes with this machine’s GPU. Where there is none, the worker says why and works without. */
export const gpu = component({
  name: 'gpu',
  requires: ['kernels', 'bodies', 'files'],
  start: async (worker, { kernels, bodies, files }) => {
    const { config, log } = worker;
    if (!config.gpu) return { value: null };
    const processFile = config.gpuProcessFile ?? besideBundle('gpu-process.js');
    const finding = await findGpu(processFile);
    if (finding.type !== 'open') {
      log(`No GPU is used. ${finding.reason}`);
      return { value: null };
    }
    const settings = { ...threadSettings(worker, kernels, bodies), kernelsFile: kernels.file };
    const pool = computePool(worker, files, (hooks) => startGpuProcess(processFile, settings, hooks));
    return { value: { executor: pool, adapter: finding.adapter }, stop: () => pool.close() };
  },
});
