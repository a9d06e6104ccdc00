import { instantiate } from '#kernels';
import type { LinalgExports } from '#kernels/linalg';
import { cpuSeconds } from './clock.ts';
import { peakGflops } from './peak.ts';
import type { Chains } from './peak.ts';

/** Speed of the products of a hidden layer in training. */
export interface GemmShare {
  readonly gflops: number;
  /** What the same core reached in between, in a loop of nothing but multiplications and additions. */
  readonly peak: number;
  readonly share: number;
}

/** Runs the three products of a square layer once: y = x·W, ∂W = xᵀ·∂y, ∂x = ∂y·Wᵀ, as training lays them out. */
function layerProducts(module: WebAssembly.Module, width: number, rows: number): () => void {
  const instance = instantiate<LinalgExports>(module);
  const { exports } = instance;
  const [x, w, y, start] = [rows * width, width * width, Math.max(rows, width) * width, 8].map((n) => {
    const pointer = instance.alloc(4 * n);
    instance.f32(pointer, n).fill(1);
    return pointer;
  }) as [number, number, number, number];
  return () => {
    for (let column = 0; column < width; column += 8) {
      const [batchPanel, weightPanel] = [4 * column * rows, 4 * column * width];
      exports.multiplyPanel(x, 16 * width, rows, width, w + weightPanel, start, y + batchPanel);
      exports.multiplyTransposedPanel(x, 32 * rows, rows, width, x + batchPanel, y + weightPanel);
      exports.multiplyPanel(x, 16 * width, rows, width, w + weightPanel, start, y + batchPanel);
    }
  };
}

/** The products of a square layer of `width` on batches of `rows`, beside the peak: each the best of `repeats`, in turn. */
export function gemmShare(
  module: WebAssembly.Module,
  chains: Chains,
  { width, rows }: { width: number; rows: number },
  repeats: number,
): GemmShare {
  const multiply = layerProducts(module, width, rows);
  const flop = 3 * 2 * rows * width * width;
  const batches = Math.ceil(1e8 / flop);
  let gflops = 0;
  let peak = 0;
  for (let i = -1; i < repeats; i++) {
    peak = Math.max(peak, peakGflops(chains, 1));
    const begin = cpuSeconds();
    for (let j = 0; j < batches; j++) multiply();
    if (i >= 0) gflops = Math.max(gflops, (batches * flop) / (cpuSeconds() - begin) / 1e9);
  }
  return { gflops, peak, share: gflops / peak };
}
