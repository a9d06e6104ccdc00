import { openGpu, type GpuOpening } from '#kernels/gpu';
import { dawnGpu } from '../gpu.ts';

/** The one device of this process, which tasks share one after the other. Opened when it is first asked for, and anew once it has failed. */
export class ProcessGpu {
  #opening: Promise<GpuOpening> | null = null;

  async open(): Promise<GpuOpening> {
    const last = await this.#opening;
    if (last?.type === 'open' && last.device.failure !== null) {
      this.#opening = null;
      await last.device.close();
    }
    this.#opening ??= open();
    return this.#opening;
  }
}

async function open(): Promise<GpuOpening> {
  const gpu = await dawnGpu();
  if (gpu !== undefined) return openGpu(gpu);
  const reason = 'The package webgpu is missing, or has no build for this machine: npm install webgpu';
  return { type: 'absent', reason };
}
