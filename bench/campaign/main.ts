import { readFile } from 'node:fs/promises';
import { compileKernels, kernelDigest } from '#kernels';
import { rowKey } from '#kernels/csv';
import { cases, rankedDesigns, replaySpec, topShare, type ReplayCase } from './cases.ts';
import { ratioOf, type BenchLine, type BenchOptions } from '../lib/line.ts';
import { runLocally } from './local.ts';

export interface CampaignBenchOptions extends BenchOptions {
  /** The first seed; others follow. Default 0. */
  readonly firstSeed?: number;
  /** Default 10; 3 when it is to be quick. */
  readonly seeds?: number;
}

const root = new URL('../../', import.meta.url);

/** Replays each table: experiments until half of its best 5 % are found, from 2 random ones on, one at a time. */
export async function* run(options: CampaignBenchOptions): AsyncGenerator<BenchLine> {
  const bytes = new Uint8Array(await readFile(new URL('kernels/build/kernels.wasm', root)));
  const kernels = { module: await compileKernels(bytes), digest: kernelDigest(bytes) };
  for (const replay of cases)
    if (replay.name.startsWith(options.only ?? '')) yield replayCase(kernels, replay, options);
}

async function replayCase(
  kernels: { module: WebAssembly.Module; digest: string },
  replay: ReplayCase,
  { quick, firstSeed = 0, seeds = quick ? 3 : 10 }: CampaignBenchOptions,
): Promise<BenchLine> {
  const csv = new Uint8Array(await readFile(new URL(`data/${replay.file}`, root)));
  const designs = rankedDesigns(replay, csv);
  const top = Math.ceil(designs.length * topShare);
  const half = Math.ceil(top / 2);
  const best = new Set(designs.slice(0, top).map(({ key }) => key));
  const runs: number[] = [];
  let seconds = 0;
  let iterations = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const files = new Map([[`/datasets/${replay.file}`, csv]]);
    const budget = Math.min(designs.length, 300);
    const state = await runLocally(kernels, replaySpec(replay, budget, seed), files, (now) => {
      return now.candidates.filter(({ inputs }) => best.has(rowKey([...inputs]))).length >= half;
    });
    runs.push(state.candidates.length);
    seconds += state.iterations.reduce((sum, iteration) => sum + iteration.seconds, 0);
    iterations += state.iterations.length;
  }
  const ours = runs.reduce((sum, count) => sum + count, 0) / runs.length;
  // Drawing without replacement: the half-th of `top` good ones among N comes on average at half·(N + 1)/(top + 1).
  const random = (half * (designs.length + 1)) / (top + 1);
  const peers = { random, ...replay.published };
  return {
    bench: 'campaign',
    case: replay.name,
    unit: 'experiments',
    ours,
    peers,
    ratio: ratioOf(ours, peers, 'less'),
    runs,
    seconds_per_iteration: seconds / Math.max(1, iterations),
  };
}
