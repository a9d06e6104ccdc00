import { GpPredictor, GpTrainer } from '#kernels/gp';
import { median, type BenchLine } from '../lib/line.ts';
import { cpuSeconds } from './clock.ts';
import { forestTable } from './forest.ts';
import type { Kernels } from './kernels.ts';

const DIMENSION = 5;
const PREDICTED_ROWS = 20_000;

/** Processor seconds of one fit on Friedman’s first function (three climbs), and of predictions with the model. */
export function gpFit(module: WebAssembly.Module, rows: number): { fit: number; predictionsPerSecond: number } {
  const { inputs, targets } = forestTable(module, { train: rows, test: PREDICTED_ROWS, dimension: DIMENSION });
  const data = {
    inputs: inputs.slice(0, rows * DIMENSION),
    targets: targets.slice(0, rows),
    rows,
    dimension: DIMENSION,
    outputs: 1,
  };
  const begin = cpuSeconds();
  const trainer = GpTrainer.create(module, data);
  while (!trainer.done) trainer.step();
  const model = trainer.finish();
  const fit = cpuSeconds() - begin;
  const predictor = new GpPredictor(module, model);
  const start = cpuSeconds();
  predictor.predict(inputs.slice(rows * DIMENSION), PREDICTED_ROWS);
  return { fit, predictionsPerSecond: PREDICTED_ROWS / (cpuSeconds() - start) };
}

/** Exact Gaussian processes by number of rows; no peer. */
export async function* processes({ module, quick, wants }: Kernels): AsyncGenerator<BenchLine> {
  for (const rows of quick ? [100] : [100, 200, 500, 1000]) {
    const name = `gp-${rows}`;
    if (!wants(name)) continue;
    const runs = Array.from({ length: quick ? 1 : 3 }, () => gpFit(module, rows));
    yield {
      bench: 'kernels',
      case: name,
      unit: 'processor s per fit',
      ours: median(runs.map(({ fit }) => fit)),
      peers: {},
      ratio: null,
      predictions_per_s: Math.round(median(runs.map(({ predictionsPerSecond }) => predictionsPerSecond))),
    };
  }
}
