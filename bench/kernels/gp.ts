import { GpPredictor, GpTrainer } from '#kernels/gp';
import { r2 } from '#kernels/validation';
import { compete } from '../lib/contest.ts';
import type { BenchLine } from '../lib/line.ts';
import { startPeers, stopPeers } from '../lib/peer.ts';
import { withTable } from '../lib/table-file.ts';
import { cpuSeconds } from './clock.ts';
import { forestTable, rowsOf } from './forest.ts';
import type { Kernels } from './kernels.ts';

const dimension = 5;
const sizes = [100, 200, 500, 1000];
const testRows = 2000;

/** Processor seconds of one fit (three climbs), predictions a second with the model, and R² on rows that it has not seen. */
function fit(module: WebAssembly.Module, train: number): { seconds: number; predictionsPerSecond: number; r2: number } {
  const table = forestTable(module, { train, test: testRows, dimension });
  const test = rowsOf(table, train, table.rows);
  const begin = cpuSeconds();
  const trainer = GpTrainer.create(module, { ...rowsOf(table, 0, train), outputs: 1 });
  while (!trainer.done) trainer.step();
  const model = trainer.finish();
  const fitted = cpuSeconds();
  const predictor = new GpPredictor(module, model);
  const begun = cpuSeconds();
  const { mean } = predictor.predict(test.inputs, test.rows);
  return {
    seconds: fitted - begin,
    predictionsPerSecond: test.rows / (cpuSeconds() - begun),
    r2: r2(test.targets, mean),
  };
}

/** Exact Gaussian processes on Friedman’s first function, by number of rows. */
export async function* processes({ module, quick, wants }: Kernels): AsyncGenerator<BenchLine> {
  const wanted = (quick ? sizes.slice(0, 1) : sizes).filter((rows) => wants(`gp-${rows}`));
  if (wanted.length === 0) return;
  const field = await startPeers([['peers.py', 'scikit-learn']]);
  for (const train of wanted) {
    const table = forestTable(module, { train, test: testRows, dimension });
    let last = { predictionsPerSecond: NaN, r2: NaN };
    let peerR2: number | undefined;
    const line = await withTable([table.inputs, table.targets], (path) =>
      compete(
        {
          bench: 'kernels',
          case: `gp-${train}`,
          unit: 'processor s per fit',
          better: 'less',
          rounds: quick || train === 1000 ? 1 : 3,
          ours: () => {
            const { seconds, ...rest } = fit(module, train);
            last = rest;
            return seconds;
          },
          request: { work: 'gp', table: path, rows: table.rows, columns: dimension, train },
          read: ({ seconds, r2: score }) => {
            peerR2 = score;
            return seconds ?? NaN;
          },
        },
        field,
      ),
    );
    yield {
      ...line,
      r2: last.r2,
      peer_r2: peerR2,
      predictions_per_s: Math.round(last.predictionsPerSecond),
    };
  }
  await stopPeers(field);
}
