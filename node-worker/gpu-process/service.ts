import type { RemoteHooks, ThreadReport, ThreadSettings } from '../../client/worker/index.ts';
import { ComputeThread } from '../../client/worker/index.ts';
import { loadKernels } from '../kernels.ts';
import type { ProcessGpu } from './device.ts';

/** What a process must be told that a thread is given. A compiled module cannot be sent. */
export interface ProcessSettings extends Omit<ThreadSettings, 'kernels'> {
  readonly kernelsFile: string;
}

/** A GPU as it is told to the worker: by its name, or with what is missing. */
export type GpuFinding =
  { readonly type: 'open'; readonly adapter: string } | { readonly type: 'absent'; readonly reason: string };

/** What a GPU process does for its worker: a compute thread’s part, and a look at the GPU. */
export class GpuService {
  readonly #thread: ComputeThread;
  readonly #gpu: ProcessGpu;
  readonly #hooks: RemoteHooks;

  constructor(thread: ComputeThread, gpu: ProcessGpu, hooks: RemoteHooks) {
    this.#thread = thread;
    this.#gpu = gpu;
    this.#hooks = hooks;
  }

  async find(): Promise<GpuFinding> {
    const opening = await this.#gpu.open();
    return opening.type === 'open' ? { type: 'open', adapter: opening.device.adapter } : opening;
  }

  async init({ kernelsFile, ...settings }: ProcessSettings): Promise<void> {
    const { module, digest } = await loadKernels(kernelsFile);
    if (digest !== settings.kernelDigest) throw new Error(`${kernelsFile} has changed since the worker was started.`);
    await this.#thread.init(this.#hooks, { ...settings, kernels: module });
  }

  run(batch: string, tellsMemory: boolean): Promise<ThreadReport> {
    return this.#thread.run(batch, tellsMemory);
  }

  askSnapshot(key: string): void {
    this.#thread.askSnapshot(key);
  }

  abort(key: string): void {
    this.#thread.abort(key);
  }
}
