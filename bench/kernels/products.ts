import type { BenchLine } from '../lib/line.ts';
import { gemmShare } from './gemm.ts';
import type { Kernels } from './kernels.ts';
import { compileChains } from './peak.ts';

/** Layers and batches of the medium and the large training. */
const layers = [
  { name: 'gemm-128', width: 128, rows: 64 },
  { name: 'gemm', width: 256, rows: 256 },
];

/** Matrix products of training beside the peak of a core, which is no peer but a limit: the ratio is the share of it. */
export async function* products({ module, quick, wants }: Kernels): AsyncGenerator<BenchLine> {
  const wanted = layers.filter(({ name }) => wants(name));
  if (wanted.length === 0) return;
  const chains = await compileChains();
  for (const { name, width, rows } of wanted) {
    const { gflops, peak, share } = gemmShare(module, chains, { width, rows }, quick ? 3 : 15);
    yield {
      bench: 'kernels',
      case: name,
      unit: 'GFLOP/s',
      ours: gflops,
      peers: { 'peak of WASM SIMD on this core': peak },
      ratio: share,
      width,
      rows,
    };
  }
}
