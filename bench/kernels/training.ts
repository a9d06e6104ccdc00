import { compete } from '../lib/contest.ts';
import type { BenchLine } from '../lib/line.ts';
import { startPeers, stopPeers } from '../lib/peer.ts';
import { withTable } from '../lib/table-file.ts';
import { mlpSeconds, mlpTable, mlpWorkloads, type MlpWorkload } from './mlp.ts';
import type { Kernels } from './kernels.ts';

/** Rounds by workload: the longer one takes, the less it wanders. */
const rounds: Readonly<Record<string, number>> = { small: 9, medium: 5, large: 3 };
/** TensorFlow.js takes minutes for a large training: everyone runs this share of the epochs beside it. */
const tfjsShare = 0.05;

function scaled(workload: MlpWorkload, share: number): MlpWorkload {
  return { ...workload, epochs: Math.max(2, Math.round(workload.epochs * share)) };
}

async function* trainings(
  { module, quick, wants }: Kernels,
  suffix: string,
  share: number,
  peers: readonly (readonly [string, string])[],
): AsyncGenerator<BenchLine> {
  const wanted = mlpWorkloads.filter(({ name }) => wants(`mlp-${name}${suffix}`));
  if (wanted.length === 0) return;
  const field = await startPeers(peers);
  for (const full of wanted) {
    const workload = scaled(full, quick ? share / 10 : share);
    const { name, rows, dimension: columns, width, batchSize: batch, epochs } = workload;
    const { inputs, targets } = mlpTable(workload);
    yield await withTable([Float32Array.from(inputs), Float32Array.from(targets)], (table) => {
      const request = { work: 'mlp', table, rows, columns, hidden: [width, width], batch, epochs };
      const milliseconds = (seconds: number): number => (1000 * seconds) / epochs;
      return compete(
        {
          bench: 'kernels',
          case: `mlp-${name}${suffix}`,
          unit: 'processor ms per epoch',
          better: 'less',
          rounds: quick ? 1 : (rounds[name] ?? 3),
          ours: () => milliseconds(mlpSeconds(module, workload, 1)),
          request,
          read: ({ seconds }) => milliseconds(seconds ?? NaN),
        },
        field,
      );
    });
  }
  await stopPeers(field);
}

/** Training perceptrons: two hidden relu layers, Adam, minibatches. */
export async function* training(kernels: Kernels): AsyncGenerator<BenchLine> {
  yield* trainings(kernels, '', 1, [
    ['peers.py', 'scikit-learn'],
    ['peers.py', 'torch'],
  ]);
  yield* trainings(kernels, '-tfjs', tfjsShare, [['peers.mjs', 'tfjs']]);
}
