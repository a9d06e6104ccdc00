import { openGpu, type GpuOpening } from '#kernels/gpu';
import { dawnGpu } from '../gpu.ts';

/** The one device of this process, which tasks share one after the other. Opened when it is first asked for, and anew when there is none or it has failed. */
export class ProcessGpu {
  readonly #open: () => Promise<GpuOpening>;
  #opening: Promise<GpuOpening> | null = null;

  constructor(open: () => Promise<GpuOpening>) {
    this.#open = open;
  }

  async open(): Promise<GpuOpening> {
    const last = await this.#opening;
    if (last?.type === 'open') {
      if (last.device.failure === null) return last;
      await last.device.close();
    }
    this.#opening = this.#open();
    return this.#opening;
  }
}

/** A device of Dawn’s, or what is missing. */
export async function openDawn(): Promise<GpuOpening> {
  const gpu = await dawnGpu();
  if (gpu !== undefined) return openGpu(gpu);
  const reason = 'The package webgpu is missing, or has no build for this machine: npm install webgpu';
  return { type: 'absent', reason };
}
