import { createFleet } from '#kernels/cma-es/fleet';
import type { FleetResult, FleetRun } from '#kernels/cma-es/fleet';
import type { GpuOpening } from '#kernels/gpu';
import { Rng } from '#kernels/rng';
import { cpuSeconds } from '../kernels/clock.ts';
import { median } from '../lib/line.ts';
import type { GpuBench, GpuCase } from './gpu.ts';

const RUNS = 256;
const TARGET = 1e-8;
/** The shader sees the target in f32. */
const REACHED = 1.001e-8;
const FUNCTIONS = ['sphere', 'ellipsoid', 'rosenbrock', 'rastrigin'] as const;

/** As many runs on each function, each from a place of its own. */
function searches(dimension: number): FleetRun[] {
  return Array.from({ length: RUNS }, (_, seed) => {
    const rng = new Rng(seed);
    const x0 = Array.from({ length: dimension }, () => 6 * rng.uniform() - 3);
    const name = FUNCTIONS[seed % FUNCTIONS.length] ?? 'sphere';
    return { objective: { kind: 'function', name }, options: { dimension, x0, sigma0: 1, seed, ftarget: TARGET } };
  });
}

interface Played {
  readonly seconds: number;
  readonly evaluations: number;
  readonly results: readonly FleetResult[];
}

async function play(bench: GpuBench, gpu: GpuOpening, dimension: number, clock: () => number): Promise<Played> {
  const runs = searches(dimension);
  const fleet = createFleet(bench.module, gpu, { runs });
  const begin = clock();
  while (!fleet.done) await fleet.step();
  const seconds = clock() - begin;
  const results = runs.map((_, run) => fleet.result(run));
  const wanted = gpu.type === 'open' ? 'webgpu' : 'wasm';
  if (fleet.backend !== wanted) throw new Error(fleet.reason);
  fleet.close();
  return { seconds, evaluations: results.reduce((sum, { evaluations }) => sum + evaluations, 0), results };
}

/** Solved runs, and medians of evaluations and values, by function. */
function quality({ results }: Played): Record<string, { solved: number; evaluations: number; value: number }> {
  return Object.fromEntries(
    FUNCTIONS.map((name, place) => {
      const own = results.filter((_, run) => run % FUNCTIONS.length === place);
      const solved = own.filter(({ fun }) => fun <= REACHED).length;
      const evaluations = median(own.map((result) => result.evaluations));
      return [name, { solved, evaluations, value: median(own.map(({ fun }) => fun)) }];
    }),
  );
}

const wallSeconds = (): number => performance.now() / 1000;
const microseconds = ({ seconds, evaluations }: Played): number => (1e6 * seconds) / evaluations;

/** 256 searches on four functions, to 1e-8 or to the end of a run. */
export const cmaRuns: GpuCase = {
  name: `cma-runs-${RUNS}`,
  async run(bench) {
    const { device, module, quick } = bench;
    const dimension = quick ? 5 : 10;
    const onGpu: GpuOpening = { type: 'open', device };
    // One step of one run of the same shape compiles the shader.
    const first = createFleet(module, onGpu, { runs: searches(dimension).slice(0, 1) });
    await first.step();
    first.close();
    const ours = await play(bench, onGpu, dimension, wallSeconds);
    const wasm = await play(bench, { type: 'absent', reason: 'not wanted here' }, dimension, cpuSeconds);
    return {
      bench: 'gpu',
      case: cmaRuns.name,
      unit: `µs for one evaluation in ${dimension} dimensions`,
      ours: microseconds(ours),
      peers: { 'WASM on one core': microseconds(wasm) },
      ratio: microseconds(wasm) / microseconds(ours),
      adapter: device.adapter,
      seconds: { gpu: ours.seconds, wasm: wasm.seconds },
      quality: { gpu: quality(ours), wasm: quality(wasm) },
    };
  },
};
