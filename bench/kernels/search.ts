import { compete } from '../lib/contest.ts';
import type { BenchLine } from '../lib/line.ts';
import { startPeers, stopPeers } from '../lib/peer.ts';
import { cmaMicroseconds } from './cma.ts';
import type { Kernels } from './kernels.ts';

const dimensions = [10, 20, 40, 100, 200];

/** CMA-ES on the sphere with the default population: time of one evaluation, with its share of asking, telling and stopping. */
export async function* search({ module, quick, wants }: Kernels): AsyncGenerator<BenchLine> {
  const wanted = dimensions.filter((d) => wants(`cma-d${d}`));
  if (wanted.length === 0) return;
  const field = await startPeers([['peers.py', 'pycma']]);
  for (const dimension of wanted) {
    const evaluations = quick ? 1 : 20_000;
    yield await compete(
      {
        bench: 'kernels',
        case: `cma-d${dimension}`,
        unit: 'processor µs per evaluation',
        better: 'less',
        rounds: quick ? 1 : 7,
        ours: () => cmaMicroseconds(module, dimension, evaluations, 1),
        request: { work: 'cma_es', dimension, evaluations },
        read: ({ seconds, evaluations: count }) => (1e6 * (seconds ?? NaN)) / (count ?? NaN),
      },
      field,
    );
  }
  await stopPeers(field);
}
