import type { WorkerView } from '#protocol';
import type { Grid } from '../../sdk/index.ts';
import { openGrid, patientRetries } from '../lib/connection.ts';
import type { ProgressDisplay } from '../lib/progress-display.ts';
import { startServe, type Served, type ServeOptions } from '../serve/serve.ts';
import { demoData, runDemos, uploadData, type DemoResult } from './demo.ts';
import { knownDesigns, type KnownDesigns } from './designs.ts';
import { superviseWorker } from './worker-process.ts';

/** A grid with a worker, on this machine. */
export interface Started {
  readonly served: Served;
  readonly grid: Grid;
  stop(): Promise<void>;
}

/** What the demonstration has shown. */
export interface Demonstration {
  readonly results: readonly DemoResult[];
  readonly known: KnownDesigns;
  /** The worker table before and after. */
  readonly before: readonly WorkerView[];
  readonly after: readonly WorkerView[];
}

/** Starts the edge and one Node worker. */
export async function startGrid(options: ServeOptions): Promise<Started> {
  const served = await startServe(options);
  const worker = superviseWorker(served, options.onNotice);
  try {
    await worker.start();
  } catch (error) {
    await served.stop();
    throw error;
  }
  return {
    served,
    grid: openGrid(served.url, served.token, patientRetries),
    stop: async () => {
      // First the worker, while there is somebody to whom it can give back what it holds.
      await worker.stop();
      await served.stop();
    },
  };
}

export async function demonstrate(grid: Grid, display: ProgressDisplay, signal: AbortSignal): Promise<Demonstration> {
  const known = knownDesigns(await uploadData(grid), demoData.objective);
  const before = await grid.workers();
  const results: DemoResult[] = [];
  for await (const result of runDemos(grid, display, signal)) results.push(result);
  display.finish();
  return { results, known, before, after: await grid.workers() };
}
