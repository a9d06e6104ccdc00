import type { GpuDevice } from '#kernels/gpu';
import type { BenchLine } from '../lib/line.ts';

/** What every case is given. */
export interface GpuBench {
  readonly module: WebAssembly.Module;
  /** Open; the case does not close it. */
  readonly device: GpuDevice;
  readonly quick: boolean;
}

/** One line of the benchmark: our work on a GPU beside the same work in WASM on one core. */
export interface GpuCase {
  readonly name: string;
  run(bench: GpuBench): Promise<BenchLine>;
}
