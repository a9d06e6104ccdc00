import { compete } from '../lib/contest.ts';
import type { BenchLine } from '../lib/line.ts';
import { startPeers, stopPeers } from '../lib/peer.ts';
import { withTable } from '../lib/table-file.ts';
import { forestFit, forestTable, forestWorkloads, type ForestWorkload } from './forest.ts';
import type { Kernels } from './kernels.ts';

const cases = new Map(
  forestWorkloads.map((workload) => [workload.maxFeatures === null ? 'forest' : 'forest-third', workload]),
);

/** Growing a forest on Friedman’s first function. One tree of ml-random-forest takes longer than our forest, so that it gets a case with few trees. */
export async function* forests(kernels: Kernels): AsyncGenerator<BenchLine> {
  const { quick } = kernels;
  for (const [name, full] of cases) {
    const workload = quick ? { ...full, trees: 5 } : full;
    yield* forestCase(kernels, name, workload, ['peers.py', 'scikit-learn']);
  }
  const [all] = forestWorkloads;
  if (all === undefined) return;
  const few = { ...all, trees: 2, train: quick ? 500 : 2000 };
  yield* forestCase(kernels, 'forest-npm', few, ['peers.mjs', 'ml-random-forest']);
}

async function* forestCase(
  { module, quick, wants }: Kernels,
  name: string,
  workload: ForestWorkload,
  peer: readonly [string, string],
): AsyncGenerator<BenchLine> {
  if (!wants(name)) return;
  const field = await startPeers([peer]);
  const { inputs, targets, rows, dimension: columns } = forestTable(module, workload);
  const { train, trees, depth, maxFeatures } = workload;
  const ownScores: number[] = [];
  const theirScores: number[] = [];
  const line = await withTable([inputs, targets], (table) =>
    compete(
      {
        bench: 'kernels',
        case: name,
        unit: 'processor s per forest',
        better: 'less',
        rounds: quick ? 1 : 3,
        ours: () => {
          const { seconds, r2 } = forestFit(module, workload);
          ownScores.push(r2);
          return seconds;
        },
        request: { work: 'forest', table, rows, columns, train, trees, depth, max_features: maxFeatures },
        read: ({ seconds, r2 }) => {
          if (r2 !== undefined) theirScores.push(r2);
          return seconds ?? NaN;
        },
      },
      field,
    ),
  );
  await stopPeers(field);
  yield { ...line, trees, r2: ownScores.at(-1), ...(theirScores.length > 0 && { peer_r2: theirScores.at(-1) }) };
}
